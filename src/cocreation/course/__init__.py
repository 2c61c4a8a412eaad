"""Assignments, checks, personal data, releases and the building of the book."""
