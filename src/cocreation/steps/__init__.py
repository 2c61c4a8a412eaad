"""The statistics of scale development, one module a step."""
