"""Sections of a golden set before any model is confirmed; a room behind :mod:`cocreation.golden.agree`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from ..inputs import answers
from ..steps import explore, purify, screen, validate
from .ledger import TOLERANCES, Ledger, Tolerance, as_list
from .sets import Golden

__all__ = ["SECTIONS"]

#: R needs so many random data sets for its mean and percentile; ours may differ by the errors of both
_NEAR = 4.0


def matrix(ledger: Ledger, path: tuple, block: object, ours: pd.DataFrame, metric: str, tolerance: str) -> None:
    """Compare a matrix of R with a table, row by row and column by column by their names."""
    if not isinstance(block, Mapping):
        return
    known = {(str(r), str(c)): v for r, row in zip(ours.index, ours.to_numpy(), strict=True)
             for c, v in zip(ours.columns, row, strict=True)}  # fmt: skip
    for i, row in enumerate(as_list(block["rows"])):
        for j, column in enumerate(as_list(block["cols"])):
            ledger.compare((*path, "values", i, j), known.get((str(row), str(column))), metric, tolerance)


def rows(ledger: Ledger, path: tuple, block: list, ours: pd.DataFrame, columns: dict, metric: str, tol: str) -> None:
    """Compare a table of R, one row an item, with ours: ``columns`` says which of R's is which of ours."""
    table = ours.set_index("item")
    for i, row in enumerate(block):
        for theirs, mine in columns.items():
            value = table[mine].get(row["item"])
            ledger.compare((*path, i, theirs), value, metric, tol)


def sample(golden: Golden) -> None:
    """Respondents and items."""
    ledger, items = golden.ledger, golden.items
    used = len(answers.items_frame(golden.data, items))
    ledger.named((), {"n_rows": len(golden.data), "n_complete": used}, "respondents", "exact")


def descriptives(golden: Golden) -> None:
    """Mean, deviation, skewness and kurtosis of each item over all who answered it."""
    block = golden.figures["descriptives"]
    spss = screen.describe(golden.data, golden.items).table
    psych = screen.describe(golden.data, golden.items, convention="psych").table
    path = ("descriptives",)
    rows(golden.ledger, path, block, spss, {"n": "n"}, "n", "exact")
    rows(golden.ledger, path, block, spss, {"mean": "mean", "sd": "sd"}, "mean, sd", "closed form")
    shape = {"skew_g1_spss": "skew", "kurtosis_g2_spss": "kurtosis"}
    rows(golden.ledger, path, block, spss, shape, "skewness, kurtosis (SPSS)", "closed form")
    shape = {"skew_psych_type3": "skew", "kurtosis_psych_type3": "kurtosis"}
    rows(golden.ledger, path, block, psych, shape, "skewness, kurtosis (psych)", "closed form")


def correlations(golden: Golden) -> None:
    """Pearson's correlations, listwise."""
    ours = answers.items_frame(golden.data, golden.items).corr()
    matrix(golden.ledger, ("correlations",), golden.figures["correlations"], ours, "Pearson, listwise", "closed form")


def reliability(golden: Golden) -> None:
    """Alpha and the item statistics of each scale."""
    for name, block in golden.figures["reliability"].items():
        _scale(golden, ("reliability", name), block, golden.data)


def reliability_all_items(golden: Golden) -> None:
    """Alpha of all items together."""
    _scale(golden, ("reliability_all_items",), golden.figures["reliability_all_items"], golden.data)


def _scale(golden: Golden, path: tuple, block: dict, data: pd.DataFrame) -> None:
    found, ledger = purify.alpha(data, as_list(block["items"])), golden.ledger
    ledger.compare((*path, "n"), found.n, "n", "exact")
    coefficients = {
        "alpha": found.alpha,
        "alpha_std": found.alpha_std,
        "lambda6_smc": found.lambda6,
        "mean_inter_item_r": found.mean_r,
    }
    ledger.named(path, coefficients, "alpha, λ6, mean r", "closed form")
    limits = {"lower": found.lower, "upper": found.upper}
    ledger.named((*path, "alpha_ci95_feldt"), limits, "alpha's interval (Feldt)", "closed form")
    total = {"scale_mean_of_sum": found.sum_mean, "scale_sd_of_sum": found.sum_sd}
    ledger.named(path, total, "mean, sd of the sum", "closed form")
    statistics = {"citc_r_drop": "citc", "alpha_if_deleted": "alpha_if_deleted"}
    for columns, metric in ((statistics, "CITC, alpha if deleted"), ({"smc": "smc", "r_cor": "r_cor"}, "smc, r_cor")):
        stats = block.get("item_stats") or []
        rows(ledger, (*path, "item_stats"), stats, found.items, columns, metric, "closed form")


def adequacy(golden: Golden) -> None:
    """KMO, Bartlett, eigenvalues and what the rules make of them."""
    ledger, block = golden.ledger, golden.figures["efa"]
    found = explore.adequacy(golden.data, items=golden.items)
    ledger.named(("efa",), {"n": found.n}, "n", "exact")
    ledger.named(("efa",), {"kmo": found.kmo}, "KMO", "closed form")
    rows(ledger, ("efa", "kmo_items"), block["kmo_items"], found.kmo_items, {"msa": "kmo"}, "KMO", "closed form")
    bartlett = {"chi2": found.bartlett_chi2, "p": found.p}
    ledger.named(("efa", "bartlett"), bartlett, "Bartlett's test", "closed form")
    ledger.named(("efa", "bartlett"), {"df": found.df}, "Bartlett's test, df", "exact")
    ledger.named(("efa",), {"log_det_R": found.log_determinant}, "ln |R|", "closed form")


def number(golden: Golden) -> None:
    """Eigenvalues, parallel analysis, MAP."""
    ledger, block = golden.ledger, golden.figures["efa"]
    parallel = block.get("parallel") or {}
    draws = int(parallel.get("replications") or 1000)
    found = explore.n_factors(golden.data, items=golden.items, draws=max(draws, 20))
    values = found.table["eigenvalue"].to_numpy()
    ledger.vector(("efa", "eigenvalues"), values, "eigenvalues", "closed form")
    ledger.compare(("efa", "n_kaiser"), found.kaiser, "eigenvalues above 1", "exact")
    start = list(found.map_start)
    for key, mine, first in (
        ("avg_sq_partial_1976", "map", start[0]),
        ("avg_4th_partial_2000", "map_fourth", start[1]),
    ):
        # with all but one component taken out nothing but round-off is left to correlate: R prints 1, or what is left
        averages = [first, *found.table[mine].to_numpy()[:-1]]
        ledger.omit(
            ("efa", "map", key, len(averages) - 1), "after p − 1 components only round-off is left to correlate"
        )
        ledger.vector(("efa", "map", key), averages, "MAP", "closed form")
    ledger.named(("efa", "map"), {"n_components_1976": found.map, "n_components_2000": found.map_fourth},
                 "MAP, number of factors", "exact")  # fmt: skip
    if parallel:
        _parallel(ledger, parallel, found, values, draws)


def _parallel(ledger: Ledger, block: dict, found: explore.NumberOfFactors, values: np.ndarray, draws: int) -> None:
    path = ("efa", "parallel")
    error = np.array(as_list(block["mc_sd"])) * np.sqrt(2 / draws)
    mean, high = np.array(as_list(block["mean"])), np.array(as_list(block["p95"]))
    apart = (found.table["random_mean"].to_numpy() - mean) / error
    for i, value in enumerate(apart):
        place = (*path, "mean", i) if len(apart) > 1 else (*path, "mean")
        if place in ledger.open:
            ledger.open[place] = 0.0  # the difference is counted in Monte Carlo errors, so R's own figure is its zero
        ledger.compare(place, value, "parallel analysis, mean", "random mean")
    ledger.vector((*path, "p95"), found.table["random_p95"], "parallel analysis, 95th percentile", "random percentile")
    near_mean = (np.abs(values - mean) < _NEAR * error).any()
    near_high = (np.abs(values - high) < 0.02).any()
    rules = (("n_components_mean", found.parallel_mean, near_mean), ("n_components_p95", found.parallel, near_high))
    for key, mine, near in rules:
        if near:
            ledger.omit((*path, key), "an eigenvalue lies within Monte Carlo error of the limit")
        ledger.compare((*path, key), mine, "parallel analysis, number of factors", "exact")
    ledger.omit((*path, "replications"), "how many draws R made; ours are as many")
    ledger.omit((*path, "mc_sd"), "spread of R's draws, which the tolerance is made of")


def components(golden: Golden) -> None:
    """Principal components."""
    ledger, k = golden.ledger, golden.block("efa", "n_factors")
    block, path = golden.block("efa", "pca"), ("efa", "pca")
    data, items = golden.data, golden.items
    plain = explore.components(data, k, "none", items=items)
    _loadings(ledger, (*path, "loadings_unrotated"), block.get("loadings_unrotated"), plain, "PCA, unrotated")
    ledger.vector((*path, "ss_unrotated"), plain.variance["ss_loadings"], "PCA, explained variance", "rotated sums")
    ledger.vector((*path, "pct_variance"), plain.variance["percent"], "PCA, explained variance", "rotated sums")
    ledger.vector((*path, "communalities"), plain.communalities.to_numpy(), "PCA, communalities", "rotated")
    turned = explore.components(data, k, "varimax", items=items)
    order = _loadings(ledger, (*path, "varimax_kaiser"), block.get("varimax_kaiser"), turned, "PCA, varimax")
    shares = turned.variance.iloc[order]
    metric = "PCA, variance after varimax"
    for key, values in (
        ("ss", shares["ss_loadings"]),
        ("pct", shares["percent"]),
        ("cum_pct", shares["percent"].cumsum()),
    ):
        named = {f"C{i + 1}": value for i, value in enumerate(values)}
        ledger.named((*path, f"varimax_kaiser_{key}"), named, metric, "rotated sums")
    raw = explore.components(data, k, "varimax", items=items, kaiser=False)
    _loadings(ledger, (*path, "varimax_raw"), block.get("varimax_raw"), raw, "PCA, varimax without Kaiser")
    first = explore.components(data, 1, "none", items=items).variance["percent"].iloc[0]
    ledger.compare((*path, "harman_first_component_pct"), first, "Harman, first component", "closed form")
    ledger.compare(("efa", "harman", "pca_pct_first"), first, "Harman, first component", "closed form")
    ledger.omit(("efa", "n_factors"), "the number of factors asked for")


def principal_axes(golden: Golden) -> None:
    """Principal axes: converged communalities, varimax, oblimin."""
    ledger, path = golden.ledger, ("efa", "paf")
    one = explore.factors(golden.data, 1, "principal_axis", "none", items=golden.items)
    ledger.compare(("efa", "harman", "paf1_pct"), one.variance["percent"].iloc[0], "Harman, one factor", "rotated sums")
    ledger.omit((*path, "iterations"), "how many steps R's iteration took")
    if golden.block("efa", "paf", "heywood") is True:
        ledger.omit(path, "Heywood case in R's unbounded iteration; here uniquenesses stay above .005")
    found = _factored(golden, path, "principal_axis", "PAF")
    ledger.compare((*path, "heywood"), bool(found.heywood), "PAF, Heywood case", "exact")
    ledger.vector((*path, "communalities"), found.communalities.to_numpy(), "PAF, communalities", "rotated")


def minres(golden: Golden) -> None:
    """Minimum residuals and promax."""
    ledger, path, k = golden.ledger, ("efa", "minres"), golden.block("efa", "n_factors")
    found = explore.factors(golden.data, k, "minres", "promax", items=golden.items)
    ledger.vector((*path, "uniquenesses"), 1 - found.communalities.to_numpy(), "minres, uniquenesses", _minres(golden))
    # rotation and powers carry on what psych's minres leaves
    after = _minres(golden, carried=4)
    block = golden.block("efa", "minres", "promax4_kaiser")
    _loadings(ledger, (*path, "promax4_kaiser"), block, found, "minres, promax", after)


def _minres(golden: Golden, carried: float = 1) -> Tolerance:
    """psych's minres may stop early: as far as from R's converged principal axes, which are the same factors."""
    end, stop = golden.block("efa", "paf", "communalities"), golden.block("efa", "minres", "uniquenesses")
    usual = TOLERANCES["rotated"]
    if not end or not stop or golden.block("efa", "paf", "heywood") is True:
        return usual
    early = float(np.abs(1 - np.array(as_list(end)) - np.array(as_list(stop))).max())
    limit = usual.limit + carried * early
    digit = 10.0 ** math.floor(math.log10(limit))
    limit = math.ceil(limit / digit) * digit
    return Tolerance(limit, "absolute", words=f"{limit:.0e}, as far as psych's minres stops early")


def maximum_likelihood(golden: Golden) -> None:
    """Maximum-likelihood factors, with the floor that the golden sets give factanal."""
    ledger, path = golden.ledger, ("efa", "ml")
    found = _factored(golden, path, "ml", "ML factors", floor=1e-4)
    ledger.vector((*path, "uniquenesses"), 1 - found.communalities.to_numpy(), "ML factors, uniquenesses", "rotated")
    ledger.named(path, {"fmin": found.minimum, "p": found.p}, "ML factors, test", "rotated")
    ledger.named(path, {"chi2": found.chi2}, "ML factors, chi-square", "chi-square")
    ledger.named(path, {"df": found.df}, "ML factors, df", "exact")


def _factored(golden: Golden, path: tuple, method: str, name: str, **options: float) -> explore.Extraction:
    """Compare varimax and both kinds of oblimin of one extraction; return the first."""
    ledger, k, block = golden.ledger, golden.block("efa", "n_factors"), golden.block(*path)

    def turned(rotation: str, *, kaiser: bool = True) -> explore.Extraction:
        return explore.factors(golden.data, k, method, rotation, items=golden.items, kaiser=kaiser, **options)

    found = turned("varimax")
    _loadings(ledger, (*path, "varimax_kaiser"), block.get("varimax_kaiser"), found, f"{name}, varimax")
    for key, kaiser in (("oblimin_kaiser_spss", True), ("oblimin_raw_gparotation", False)):
        theirs = block.get(key)
        if theirs:
            metric = f"{name}, oblimin{'' if kaiser else ' without Kaiser'}"
            _oblique(ledger, (*path, key), theirs, turned("oblimin", kaiser=kaiser), metric)
    return found


def _oblique(ledger: Ledger, path: tuple, block: dict, found: explore.Extraction, metric: str) -> None:
    order = _loadings(ledger, (*path, "pattern"), block.get("pattern"), found, metric)
    signs = _signs(block["pattern"], found.loadings, order)
    for name, table in (("structure", found.structure.iloc[:, order] * signs),
                        ("phi", found.phi.iloc[order, order] * np.outer(signs, signs))):  # fmt: skip
        theirs = as_list(block[name]["cols"])
        table = table.set_axis(theirs, axis=1)
        table = table if name == "structure" else table.set_axis(theirs, axis=0)
        matrix(ledger, (*path, name), block[name], table, metric, "rotated")
    ss = found.variance["ss_loadings"].to_numpy()[order]
    ledger.vector((*path, "ss_loadings"), ss, f"{metric}, explained variance", "rotated sums")
    ledger.vector((*path, "communalities"), found.communalities.to_numpy(), metric, "rotated")
    ledger.named(path, {"criterion": found.criterion}, metric, "rotated")


def _loadings(
    ledger: Ledger, path: tuple, block: object, found: explore.Extraction, metric: str, tolerance: str = "rotated"
) -> list[int]:
    """Compare loadings in the order and with the signs that bring the columns nearest to R's; return the order."""
    if not isinstance(block, Mapping):
        return list(range(found.loadings.shape[1]))
    order = _order(block, found.loadings)
    ours = found.loadings.iloc[:, order] * _signs(block, found.loadings, order)
    matrix(ledger, path, block, ours.set_axis(as_list(block["cols"]), axis=1), metric, tolerance)
    return order


def _products(block: Mapping, ours: pd.DataFrame) -> np.ndarray:
    theirs = np.array(block["values"], dtype=float)
    return theirs.T @ ours.loc[as_list(block["rows"])].to_numpy()


def _order(block: Mapping, ours: pd.DataFrame) -> list[int]:
    """The best pairing of columns: which of ours stands for each of R's."""
    return [int(j) for j in linear_sum_assignment(-np.abs(_products(block, ours)))[1]]


def _signs(block: Mapping, ours: pd.DataFrame, order: list[int]) -> np.ndarray:
    products = _products(block, ours)
    return np.array([-1.0 if products[i, j] < 0 else 1.0 for i, j in enumerate(order)])


def omega(golden: Golden) -> None:
    """Omega after Schmid and Leiman."""
    ledger, block, path = golden.ledger, golden.figures["omega_exploratory"], ("omega_exploratory",)
    found = validate.omega(golden.data, block["nfactors"], items=golden.items)
    shares = {
        "omega_h": found.omega_hierarchical,
        "omega_total": found.omega_total,
        "omega_lim": found.omega_limit,
        "ecv": found.ecv,
    }
    ledger.named(path, shares, "omega, ECV", "omega")
    ledger.named(path, {"alpha": found.alpha, "g6": found.lambda6}, "alpha, λ6", "closed form")
    ledger.omit((*path, "nfactors"), "the number of factors asked for")


#: (the place in golden.json whose figures it compares, how)
SECTIONS: list[tuple[tuple[str, ...], Callable[[Golden], None]]] = [
    (("n_rows",), sample),
    (("descriptives",), descriptives),
    (("correlations",), correlations),
    (("reliability",), reliability),
    (("reliability_all_items",), reliability_all_items),
    (("efa", "kmo"), adequacy),
    (("efa", "eigenvalues"), number),
    (("efa", "pca"), components),
    (("efa", "paf"), principal_axes),
    (("efa", "minres"), minres),
    (("efa", "ml"), maximum_likelihood),
    (("omega_exploratory",), omega),
]
