"""Value Co-Creation: from Theory to Scale – the tools behind the course.

The floors, from the ground up: :mod:`cocreation.core` (numerics),
:mod:`cocreation.survey` (the synthetic study), :mod:`cocreation.steps` (the
statistics, one module a step), :mod:`cocreation.widgets` (exercises a person
touches) and :mod:`cocreation.course` (assignments, checks, the book). A floor
imports only from floors below it. Importing this package loads none of them,
so that the command line answers at once.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
