"""Value Co-Creation: from Theory to Scale – the tools behind the course.

The floors, from the ground up: :mod:`cocreation.inputs` (what a user hands in),
:mod:`cocreation.core` (numerics), :mod:`cocreation.results` (how a result looks),
:mod:`cocreation.survey` (the synthetic study), :mod:`cocreation.audit` (a paper's
figures against each other), :mod:`cocreation.cfa` (from a model to a fitted
result), :mod:`cocreation.steps` (the statistics, one word a step),
:mod:`cocreation.golden` (the proof against R), :mod:`cocreation.widgets` (exercises
a person touches), :mod:`cocreation.authoring` (what an instructor runs),
:mod:`cocreation.course` (what a student meets) and :mod:`cocreation.cli`. A floor
imports only from floors below it. Importing this package loads none of them,
so that the command line answers at once.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
