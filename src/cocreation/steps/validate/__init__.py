"""Validate: do the items of a dimension converge, and do the dimensions stay apart?"""

from __future__ import annotations

from .group_model import GroupModel
from .htmt import HtmtIntervals, htmt, htmt_intervals
from .invariance import Invariance, invariance
from .latent_means import LatentMeans, latent_means
from .nomological import Nomological, nomological
from .omega import Omega, omega
from .reliability import Reliability, reliability
from .retest import Retest, retest
from .validity import Validity, validity

__all__ = [
    "GroupModel",
    "HtmtIntervals",
    "Invariance",
    "LatentMeans",
    "Nomological",
    "Omega",
    "Reliability",
    "Retest",
    "Validity",
    "htmt",
    "htmt_intervals",
    "invariance",
    "latent_means",
    "nomological",
    "omega",
    "reliability",
    "retest",
    "validity",
]
