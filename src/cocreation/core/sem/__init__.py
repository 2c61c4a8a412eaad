"""Structural equation models: from a model's text to estimates, errors, fit and modification indices."""
