"""Exercises a person touches, in JupyterLab and in the built page."""
