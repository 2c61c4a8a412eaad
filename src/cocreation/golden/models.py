"""Sections of a golden set that fit models."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..steps import confirm, explore, purify, validate
from .boundary import at_the_boundary
from .classical import matrix
from .fitted import estimates, fit, omit_lost_errors, or_improper, unfit
from .ledger import COMPARED, TOLERANCES, Ledger, Tolerance, as_list
from .sets import Golden

__all__ = ["SECTIONS"]

#: so many resamples the tolerance of a bootstrap is made for
ENOUGH = 400


def residuals(golden: Golden) -> None:
    """SRMR and the largest residual correlation."""
    found, path = golden.cfa(golden.text), ("cfa_std_residuals_max",)
    largest = float(np.abs(found.residuals.to_numpy()).max())
    named = {"srmr": found.measure("srmr"), "max_abs_residual_cor": largest}
    golden.ledger.named(path, named, "SRMR, largest residual", "fit")


def scores(golden: Golden) -> None:
    """Regression factor scores of the first respondents."""
    block = golden.figures["factor_scores"]["values"]
    found = golden.cfa(golden.text).scores(golden.complete)
    found = found.reset_index(drop=True).head(len(as_list(block["rows"])))
    found.index = range(1, len(found) + 1)
    path = ("factor_scores", "values")
    matrix(golden.ledger, path, block, found, "regression scores, first respondents", "estimate")


def validity(golden: Golden) -> None:
    """CR, AVE, Fornell–Larcker, HTMT, and semTools' figures."""
    ledger, block, path = golden.ledger, golden.figures["validity"], ("validity",)
    found = validate.validity(golden.complete, golden.scales)
    table = found.table.set_index("dimension")
    columns = {"cr_standardized": "cr", "ave_standardized": "ave", "msv": "msv", "asv": "asv"}
    for theirs, mine in columns.items():
        ledger.named((*path, theirs), table[mine].to_dict(), "CR, AVE, MSV, ASV", "standardized")
    passed = {name: bool(value) for name, value in table["fornell_larcker"].items()}
    ledger.named((*path, "fornell_larcker_pass"), passed, "Fornell–Larcker verdicts", "exact")
    matrix(ledger, (*path, "latent_correlations"), block.get("latent_correlations"), found.phi,
           "factor correlations", "standardized")  # fmt: skip
    for theirs, ours in (("htmt_arithmetic_2015", found.htmt), ("htmt2_geometric_2021", found.htmt2)):
        matrix(ledger, (*path, theirs), block.get(theirs), ours, "HTMT, HTMT2", "closed form")
    raw = validate.reliability(golden.complete, golden.scales).table.set_index("dimension")
    for theirs, mine in (("semtools_omega", "omega"), ("semtools_alpha", "alpha"), ("semtools_ave", "ave")):
        ledger.named((*path, theirs), raw[mine].to_dict(), "semTools' omega, alpha, AVE", "standardized")


def ulmc_free(golden: Golden) -> None:
    """The method factor with free loadings: several optima in every program, so only that ours is no worse."""
    ledger, block, path = golden.ledger, golden.figures["ulmc_free"], ("ulmc_free",)
    reason = unfit(block)
    if reason:
        ledger.omit(path, reason)
        return
    ledger.omit((*path, "syntax"), "the model's text, which is fitted here too")
    found = or_improper(golden, path, block, lambda: golden.cfa(block["syntax"]))
    if found is None:
        return
    ledger.compare((*path, "fit", "chisq"), found.measure("chi2"), "chi-square no worse", "method factor")
    ledger.named((*path, "fit"), {"df": int(found.measure("df"))}, "df", "exact")
    ledger.omit(path, "free method loadings have several optima: only chi-square is compared")


def comparisons(golden: Golden) -> None:
    """Chi-square differences of nested models."""
    ledger = golden.ledger
    for name, block in (golden.figures["comparisons"] or {}).items():
        path = ("comparisons", name)
        if name not in COMPARED or not block:
            continue
        boundary = [found[0] for each in COMPARED[name] if (found := at_the_boundary(golden, golden.figures[each]))]
        if boundary:
            ledger.omit(path, boundary[0])
            continue
        fits = []
        for each in COMPARED[name]:
            theirs = golden.figures[each]
            fits.append(or_improper(golden, path, theirs, lambda text=theirs["syntax"]: golden.cfa(text)))
        if None in fits:
            continue
        if name == "correlated_vs_ulmc_free":
            ledger.omit(path, "free method loadings have several optima: only chi-square is compared")
            continue
        found = confirm.difference(*fits)
        _compared(ledger, path, block, found.chi2, found.df, found.p)


def _compared(ledger: Ledger, path: tuple, block: Mapping, chi2: float, df: int, p: float) -> None:
    # a difference is as exact as the two chi-squares it is made of, however small it comes out itself
    ledger.named(path, {"chi2_diff": chi2}, "chi-square differences", "estimate")
    ledger.named(path, {"df_diff": df}, "df of differences", "exact")
    ledger.named(path, {"p": p}, "p of differences", "fit")
    if block.get("method") == "standard":
        ledger.omit((*path, "method"), "plain difference, as here")


def invariance(golden: Golden) -> None:
    """Configural, metric, scalar, strict."""
    ledger, block, path = golden.ledger, golden.figures["invariance"], ("invariance",)
    ledger.omit((*path, "group"), "the name of the group's column")
    order = [str(name) for name in as_list(block["group_order"])]
    found = validate.invariance(golden.data, golden.text, block["group"])
    golden.levels.update(found.models)
    sizes = {_label(row.group): int(row.n) for row in found.groups.itertuples()}
    ledger.vector((*path, "group_order"), _as_r(list(sizes), block["group_order"]), "groups", "exact")
    ledger.vector((*path, "n_per_group"), [sizes.get(name) for name in order], "n of each group", "exact")
    for level, measures in block["fit"].items():
        if level in found.models:
            fit(ledger, (*path, "fit", level), measures, found.models[level].fit["value"], found.n)
    steps = found.table.set_index("level")
    for name, compared in (block.get("comparisons") or {}).items():
        row = steps.loc[name.split(" vs ")[0]]
        _compared(
            ledger,
            (*path, "comparisons", name),
            compared or {},
            row["delta_chi2"],
            int(row["delta_df"]),
            row["delta_p"],
        )
    scalar = found.models["scalar"].parameters.copy()
    scalar["group"] = [order.index(_label(name)) + 1 for name in scalar["group"]]
    omit_lost_errors(golden, (*path, "scalar_parameters"), block.get("scalar_parameters") or [])
    estimates(ledger, (*path, "scalar_parameters"), block.get("scalar_parameters") or [], scalar)


def _label(name: object) -> str:
    """A group's name as R writes it: 1, not 1.0."""
    return f"{name:g}" if isinstance(name, float) else str(name)


def _as_r(names: Sequence[str], theirs: object) -> list:
    return [type(other)(name) if not isinstance(other, str) else name
            for name, other in zip(names, as_list(theirs), strict=False)]  # fmt: skip


def ordinal(golden: Golden) -> None:
    """Polychoric correlations, thresholds, ordinal alpha."""
    ledger, block, path = golden.ledger, golden.figures["ordinal"], ("ordinal",)
    found = explore.polychoric(golden.data, golden.items)
    matrix(
        ledger, (*path, "polychoric"), block["polychoric"], found.correlations, "polychoric correlations", "polychoric"
    )
    cuts = {f"{row.item}|{row.threshold}": row.estimate for row in found.thresholds.itertuples()}
    ledger.named((*path, "thresholds"), cuts, "thresholds", "polychoric")
    alphas = {name: purify.ordinal_alpha(golden.complete, items).ordinal_alpha for name, items in golden.scales.items()}
    ledger.named((*path, "ordinal_alpha"), alphas, "ordinal alpha", "polychoric")


def bootstrap(golden: Golden) -> None:
    """Bootstrapped loadings."""
    ledger, block, path = golden.ledger, golden.figures["bootstrap"], ("bootstrap",)
    ledger.omit((*path, "R"), "how many resamples R drew; ours are as many, at least 1000")
    draws = int(block["R"])
    found = confirm.bootstrap(golden.complete, golden.text, draws=max(draws, 1000)).loadings
    known = {(row.factor, row.item): row for row in found.itertuples()}
    error, limit = TOLERANCES["bootstrap error"].limit, TOLERANCES["bootstrap limit"].limit
    if draws < ENOUGH:  # chance alone goes beyond the usual: four Monte Carlo errors of R's own draws
        error = max(error, 4 / math.sqrt(2 * draws))
        limit = max(limit, 4 * 2.7 * max(row["boot_se"] for row in block["loadings"]) / math.sqrt(draws))
    chance = f", 4 Monte Carlo errors of R's {draws} draws" if draws < ENOUGH else ""
    bound = Tolerance(limit, "absolute", words=f"{limit:.2g}{chance}")
    columns = [
        ("est", "std", "standardized estimates", TOLERANCES["standardized"]),
        (
            "boot_se",
            "se",
            "bootstrap errors",
            Tolerance(error, "relative", words=f"{100 * error:.2g} % relative{chance}"),
        ),
        ("lo", "lower", "bootstrap limits", bound),
        ("hi", "upper", "bootstrap limits", bound),
    ]
    for i, row in enumerate(block["loadings"]):
        mine = known.get((row["lhs"], row["rhs"]))
        for theirs, name, metric, tolerance in columns:
            ledger.compare((*path, "loadings", i, theirs), getattr(mine, name, None), metric, tolerance)


#: (the place in golden.json whose figures it compares, how); fitted models elsewhere are found by their looks
SECTIONS: list[tuple[tuple[str, ...], Callable[[Golden], None]]] = [
    (("ulmc_free",), ulmc_free),
    (("cfa_std_residuals_max",), residuals),
    (("factor_scores",), scores),
    (("validity",), validity),
    (("comparisons",), comparisons),
    (("invariance",), invariance),
    (("ordinal", "polychoric"), ordinal),
    (("bootstrap",), bootstrap),
]
