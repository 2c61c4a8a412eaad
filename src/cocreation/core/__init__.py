"""The numerics beneath the steps: arrays in, arrays out, nothing known of surveys."""
