"""What every notebook imports; loaded once by the fork server of :mod:`.kernels`."""

import factor_analyzer
import ipykernel.kernelapp
import IPython
import matplotlib.pyplot
import matplotlib_inline.backend_inline
import numpy
import pandas
import scipy.optimize
import scipy.stats
import seaborn
import semopy

__all__ = [
    "IPython",
    "factor_analyzer",
    "ipykernel",
    "matplotlib",
    "matplotlib_inline",
    "numpy",
    "pandas",
    "scipy",
    "seaborn",
    "semopy",
]
