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

# pandas takes the fork server for a terminal and would fit every table to its width, so that a stored output
# differed from what the same cell gives in a kernel of its own; 20 is what pandas chooses there.
pandas.set_option("display.max_columns", 20)
