"""Report: the published study beside its twin, and the study's figures checked against each other.

The twin is a synthetic study; :func:`twin` runs the whole published procedure on
it, from the raw questionnaires on, with the functions of the other steps.
:func:`audit_study` needs no data: printed figures imply one another.
"""

from __future__ import annotations

from ...audit.audit import Audit, audit_study
from .comparison import VERDICTS, Twin, compare
from .procedure import twin

__all__ = ["VERDICTS", "Audit", "Twin", "audit_study", "compare", "twin"]
