"""From answers and a model to a fitted result."""
