"""The words of a figures file: which figures, lists and topics it may name, and a file to start from."""

from __future__ import annotations

from ..core.measures import MEASURES

__all__ = ["FIGURES", "LISTS", "TEMPLATE", "TOPICS"]


def _measure(name: str, least: float, largest: float) -> tuple[str, float, float, bool]:
    """The row of a fit measure, with what a paper could print of it: anything beyond is a slip."""
    measure = MEASURES[name]
    low, high = measure.bounds
    return measure.words, max(least, low), min(largest, high), measure.kind == "count"


#: key of a single figure -> label, least and largest value, whether it is a whole number
FIGURES: dict[str, tuple[str, float, float, bool]] = {
    "n": _measure("n", 2, 1e8),
    "items": ("items", 2, 1000, True),
    "factors": ("factors", 1, 500, True),
    "freed": ("parameters freed beyond the structure", -10000, 10000, True),
    "parameters": _measure("parameters", 1, 1e6),
    "df": _measure("df", 0, 1e6),
    "chi2": _measure("chi2", 0, 1e7),
    "chi2_df": _measure("chi2_df", 0, 1e5),
    "p": _measure("p", 0, 1),
    "rmsea": _measure("rmsea", 0, 3),
    "rmsea_lower": _measure("rmsea_lower", 0, 3),
    "rmsea_upper": _measure("rmsea_upper", 0, 3),
    "pclose": _measure("pclose", 0, 1),
    "cfi": _measure("cfi", 0, 1),
    "tli": _measure("tli", -10, 10),
    "nfi": _measure("nfi", -10, 1),
    "rfi": _measure("rfi", -10, 1),
    "ifi": _measure("ifi", -10, 10),
    "gfi": _measure("gfi", -10, 1),
    "agfi": _measure("agfi", -10, 1),
    "pnfi": _measure("pnfi", -10, 10),
    "pcfi": ("PCFI", -10, 10, False),
    "mfi": _measure("mfi", 0, 2),
    "srmr": _measure("srmr", 0, 2),
    "baseline_chi2": _measure("baseline_chi2", 0, 1e8),
    "baseline_df": _measure("baseline_df", 1, 1e6),
    "aic": ("AIC, chi-square + 2·parameters", 0, 1e8, False),
    "ecvi": _measure("ecvi", 0, 1e6),
    **{
        f"{name}_{end}": (f"{word} {label}", -1 if name == "correlation" else 0, 1, False)
        for name, label in (
            ("alpha", "alpha"), ("cr", "CR"), ("ave", "AVE"), ("loading", "loading"), ("correlation", "correlation"),
        )
        for end, word in (("lowest", "smallest"), ("highest", "largest"))
    },
    "kmo": ("KMO", 0, 1, False),
    "bartlett_chi2": ("chi-square of Bartlett's test", 0, 1e8, False),
    "bartlett_df": ("df of Bartlett's test", 1, 1e6, True),
    "variance": ("variance explained, %", 0, 100, False),
}  # fmt: skip

#: key of a list of tables -> what each table must have, and its further keys
LISTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "scales": (("name",), ("items", "alpha", "cr", "ave", "root_ave", "mean_r", "msv", "largest_correlation",
                           "loadings", "loading_lowest", "loading_highest")),
    "means": (("name", "n", "mean"), ("sd", "items", "lowest", "highest")),
    "percentages": (("name", "n", "percent"), ("counts",)),
    "shares": (("name",), ("part", "whole", "percent")),
    "totals": (("name",), ("count", "mean", "total", "per")),
    "rules": (("name", "of", "per"), ("at_least",)),
    "sortings": (("name",), ("raters", "bins", "agree")),
    "correlations": (("between", "r"), ()),
    "eigenvalues": (("items", "values"), ("percent", "cumulative")),
}  # fmt: skip

#: what a report of a scale should hold: topic -> (what, why, figures that show it is there)
TOPICS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "n": ("N of this analysis", "every figure of fit depends on it", ("n",)),
    "chi2": ("chi-square itself", "a ratio alone hides the test", ("chi2",)),
    "df": ("degrees of freedom", "they tell which model was fitted", ("df",)),
    "rmsea_interval": ("RMSEA interval", "one number hides how uncertain it is", ("rmsea_lower", "rmsea_upper")),
    "srmr": ("SRMR", "the misfit in the correlations themselves", ("srmr",)),
    "cfi": ("CFI", "fit beside a model in which nothing correlates", ("cfi",)),
    "tli": ("TLI", "the same with a price on parameters", ("tli",)),
    "estimator": ("estimator and program", "N or N − 1, scaled or not: they decide what the figures mean", ()),
    "normality": ("normality of the items", "maximum likelihood takes it for granted", ()),
    "missing": ("missing answers and their treatment", "which rows were used decides N", ()),
    "comparison": ("models compared, with their figures", "fit means little without a rival", ()),
    "kmo": ("KMO", "whether there is something to factor", ("kmo",)),
    "bartlett": ("Bartlett's test", "the same, as a test", ("bartlett_chi2",)),
    "loadings": ("all loadings", "CR, AVE and the content can then be judged", ()),
    "reliability": ("alpha or CR of every scale", "as numbers, not as a threshold passed", ()),
    "ave": ("AVE of every scale", "as numbers, not as a threshold passed", ()),
    "correlations": ("correlations of the factors", "Fornell–Larcker cannot be redone without them", ()),
    "htmt": ("HTMT", "finds what Fornell–Larcker overlooks", ()),
    "inter_rater": (
        "agreement of coders or judges beyond chance",
        "a rule such as two of three is often met by luck",
        (),
    ),
    "item_source": ("where the items come from", "content validity starts there", ()),
    "item_wording": ("wording of every item", "nobody can use or judge a scale unseen", ()),
    "invariance": ("invariance across groups", "groups may be compared only then", ()),
    "nomological": ("nomological or criterion validity", "what the scale is good for", ()),
    "retest": ("test–retest", "alpha says nothing about time", ()),
}


TEMPLATE = """\
# The figures of a paper, as it prints them. Delete what it does not print, change the rest, then run
#
#     cocreation audit figures.toml
#
# Decimals count: 0.950 is not 0.95. Bounds and ranges are text: "< .001", "> .90", ".056-.068".
# This paper is invented. Two of its figures do not go with the others: find out which.

title = "An invented study of trust"
rounding = "rounded"        # or "truncated" (cut off), or "either"

[sample]
n = 312

[model]
items = 14
factors = 4
structure = "correlated"    # or "second-order", "one-factor", "uncorrelated", "bifactor"
freed = 0                   # correlated errors and cross-loadings that were freed
estimator = "ML"            # MLM, MLR, WLSMV …: then chi-square and indices are not held against each other
program = "amos"            # multiplies by N - 1, as LISREL and EQS; "lavaan" by N, as Mplus; or "either"

[fit]                       # also: p, rfi, ifi, gfi, agfi, pnfi, pcfi, mfi, pclose, aic, ecvi, baseline_chi2, …
chi2 = 161.4
df = 71
chi2_df = 2.27
cfi = 0.966
tli = 0.956
nfi = 0.941
rmsea = 0.046
rmsea_lower = 0.051
rmsea_upper = 0.077
srmr = 0.041

[[scales]]                  # also: root_ave, mean_r, msv, largest_correlation, loading_lowest, loading_highest
name = "Trust"
items = 4
alpha = 0.89
cr = 0.89
ave = 0.67
loadings = [0.84, 0.81, 0.83, 0.79]

[[scales]]
name = "Risk"
items = 3
alpha = 0.81
cr = 0.82
ave = 0.60

[[correlations]]
between = ["Trust", "Risk"]
r = -0.43

[[means]]                   # of whole-number answers; items = 3 for the mean of three
name = "Trust, first item"
n = 28
mean = 5.19
sd = 1.24
lowest = 1
highest = 7

[[percentages]]
name = "industries"
n = 312
percent = { services = 46.2, manufacturing = 33.0, other = 20.8 }

[[shares]]                  # any two of part, whole, percent
name = "recovery"
part = 312
whole = 480
percent = 65.0

[[rules]]
name = "respondents for an item"
of = 312
per = 14
at_least = 10

[report]                    # what the paper gives without a figure that stands above
given = ["estimator", "item_source", "item_wording"]
"""
