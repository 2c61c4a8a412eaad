"""Figures of a fitted model: fit, estimates, modification indices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from ..core.measures import MEASURES, named
from ..errors import EstimationError
from ..steps import confirm
from .boundary import at_the_boundary
from .ledger import TOLERANCES, Ledger, Tolerance
from .sets import Golden

__all__ = [
    "REACH",
    "estimates",
    "fit",
    "is_model",
    "model",
    "omit_lost_errors",
    "options_of",
    "or_improper",
    "unfit",
]

#: what fit measures are called in the table of the comparison, by how near they must come
METRICS = {
    "exact": "df, parameters, n",
    "chi-square": "chi-square, logL, AIC, BIC, CN",
    "scaled chi-square": "scaled chi-square",
    "estimate": "RMR",
    "fit in units": "ECVI, scaled df",
}

_NO_UNIT = "beside a negative variance there is no correlation to express the change in; lavaan prints one"

#: columns of parameterEstimates: (lavaan's, ours, metric)
COLUMNS = [
    ("est", "estimate", "estimates"),
    ("se", "se", "standard errors"),
    ("z", "z", "z"),
    ("pvalue", "p", "p of estimates"),
    ("ci.lower", "lower", "95 % limits"),
    ("ci.upper", "upper", "95 % limits"),
    ("std_all", "std", "standardized estimates"),
    ("std_all_se", "std_se", "standard errors of standardized"),
]

#: two searches whose chi-squares differ by 1e-6 may end a thousandth of a standard error apart, however large that is
REACH = 1e-3

#: options of lavaan's cfa() in a golden set: ours
OPTIONS = {"orthogonal": "orthogonal", "std.lv": "std_lv", "estimator": "estimator", "missing": "missing"}


#: variances so many times each other make lavaan warn; so many make it lose the errors of models with equalities,
#: whose information it inverts without eigenvalues below 1.5e-8 of the largest
WARNED, LOST = 1e3, 1e4


def is_model(block: object) -> bool:
    """Whether a part of a golden file is a fitted model."""
    return isinstance(block, Mapping) and "syntax" in block and "converged" in block


def unfit(block: Mapping) -> str:
    """Say why R has nothing to compare with; empty where it has."""
    if "error" in block:
        return f"R ended with an error: {str(block['error']).strip().splitlines()[-1].strip()}"
    return "" if block.get("converged") is True else "did not converge in R"


def model(golden: Golden, path: tuple) -> None:
    """Compare one fitted model: fit, estimates, explained variance, AMOS's convention, modification indices."""
    ledger, block = golden.ledger, golden.block(*path)
    reason = unfit(block)
    if reason:
        ledger.omit(path, reason)
        return
    options = options_of(block)
    if options is None:
        ledger.omit(path, f"option {_strange(block)[0]} of lavaan's cfa() is unknown to this version of cocreation")
        return
    ledger.omit((*path, "syntax"), "the model's text, which is fitted here too")
    ledger.omit((*path, "options"), "the options, which are used here too")
    boundary = at_the_boundary(golden, block)
    if boundary:
        reason, without = boundary
        for name in ("chisq", "logl"):
            metric = "chi-square, logL without a method factor"
            ledger.compare((*path, "fit", name), without.measure(name), metric, "chi-square")
        ledger.omit(path, reason)
        return
    found = or_improper(golden, path, block, lambda: golden.cfa(block["syntax"], **options))
    if found is None:
        return
    ledger.compare((*path, "converged"), True, "converged", "exact")
    ledger.compare((*path, "post_check"), _proper(found), "proper solution", "exact")
    fit(ledger, (*path, "fit"), block.get("fit") or {}, found.fit["value"], found.n)
    bifactor = "bifactor" in str(path[-1])
    omit_lost_errors(golden, (*path, "parameters"), block.get("parameters") or [])
    estimates(ledger, (*path, "parameters"), block.get("parameters") or [], found.parameters, bifactor=bifactor)
    ledger.named((*path, "r2"), _explained(found), "explained variance", "standardized")
    if block.get("amos_convention"):
        _amos(golden, (*path, "amos_convention"), found, golden.cfa(block["syntax"], convention="amos", **options))
    if "modification_indices" in block:
        _modification(golden, path, block, found)


def options_of(block: Mapping) -> dict[str, object] | None:
    """Return the options of a fitted model by our names; None where one is unknown."""
    return None if _strange(block) else {OPTIONS[name]: value for name, value in _given(block).items()}


def _given(block: Mapping) -> dict:
    return {name: value for name, value in (block.get("options") or {}).items() if name != "ordered"}


def _strange(block: Mapping) -> list[str]:
    given = _given(block)
    ordered = (block.get("options") or {}).get("ordered") and given.get("estimator") != "WLSMV"
    return sorted(set(given) - set(OPTIONS)) + (["ordered"] if ordered else [])


def or_improper(golden: Golden, path: tuple, block: Mapping, fit: Callable[[], confirm.Cfa]) -> confirm.Cfa | None:
    """Return our fit; where R's solution is improper and ours was refused for that, book the reason."""
    try:
        return fit()
    except EstimationError as error:
        if block.get("post_check") is not False:
            raise
        golden.ledger.omit(path, f"improper in R (post.check false), refused here: {error}")
        return None


def _proper(found: confirm.Cfa) -> bool:
    """What lavaan's post.check asks: no negative variance, covariances of factors and of errors positive definite."""
    table = found.parameters[found.parameters["op"] == "~~"]
    if (table.loc[table["left"] == table["right"], "estimate"] < 0).any():
        return False
    latent = set(found.phi.index)
    errors = table[~table["left"].isin(latent)]
    names = list(dict.fromkeys([*errors["left"], *errors["right"]]))
    theta = pd.DataFrame(0.0, names, names)
    for row in errors.itertuples():
        theta.loc[row.left, row.right] = theta.loc[row.right, row.left] = row.estimate
    return all(np.linalg.eigvalsh(part.to_numpy())[0] > -1e-12 for part in (found.phi, theta) if len(part))


def _explained(found: confirm.Cfa) -> dict[str, float]:
    """The share of variance of each variable that is explained: what the model leaves of its standardized one."""
    rows = found.parameters[(found.parameters["op"] == "~~") & (found.parameters["left"] == found.parameters["right"])]
    return dict(zip(rows["left"], 1 - rows["std"], strict=True))


def fit(ledger: Ledger, path: tuple, block: Mapping, ours: pd.Series, n: int) -> None:
    """Compare fit measures by name."""
    saturated = block.get("df") == 0
    for name in block:
        # a figure without a row misses; so does one that the model should offer and does not
        mine = named(name, ours.index) or named(name, MEASURES)
        closeness = MEASURES[mine].closeness if mine else "fit"
        value = ours.get(mine)
        if name == "fmin" and value is None:
            value = ours["chi2"] / (2 * n)
        if saturated and value is None:
            ledger.omit(
                (*path, name), "df = 0: lavaan prints a perfect figure, here there is none, for nothing was tested"
            )
            continue
        if mine == "rfi" and block[name] == 1 and value is not None and value < 0:
            ledger.omit((*path, name), "worse than independence: lavaan prints an RFI below 0 as 1")
            continue
        robust = "scaled" in name or "robust" in name or "scaling" in name
        metric = METRICS.get(closeness, "scaled and robust fit measures" if robust else "fit measures")
        ledger.compare((*path, name), value, metric, closeness)


def estimates(ledger: Ledger, path: tuple, block: list[dict], ours: pd.DataFrame, *, bifactor: bool = False) -> None:
    """Compare parameters, each found by its two sides, operator and group."""
    known = {_identity(row): row for row in ours.to_dict("records")}
    flipped = _flipped(block, known)
    flat = _flatness(block)
    for i, row in enumerate(block):
        mine = known.get((row["lhs"], row["op"], _right(row["op"], row["rhs"]), row.get("group")))
        if mine is None and row["op"] == "~~":
            mine = known.get((row["rhs"], row["op"], row["lhs"], row.get("group")))
        if mine is None and not row.get("se"):
            ledger.omit((*path, i), "fixed by lavaan's parameterization, no entry here")
            continue
        mine = dict(mine or {})
        if (row["lhs"] in flipped) != (row["rhs"] in flipped):
            _flip(mine)
        fixed = row.get("se") == 0 and _missing(mine.get("se"))
        allowed = _allowed(row, flat, ", bifactor" if bifactor else "")
        for theirs, name, metric in COLUMNS:
            place = (*path, i, theirs)
            if fixed and name in ("se", "lower", "upper"):
                ledger.omit(place, "fixed parameter: its error is 0 in lavaan, none here")
            elif name == "std_se" and row.get(theirs) == 0 and _missing(mine.get(name)):
                ledger.omit(place, "standardized by definition: its error is 0 in lavaan, none here")
            else:
                ledger.compare(place, mine.get(name), metric, allowed[theirs])


def _flatness(block: list[dict]) -> float:
    """By what share a model's errors change over that reach, where something in it is hardly determined."""
    known = [row for row in block if row.get("se") and row["est"] is not None]
    return REACH * max((row["se"] / max(1.0, abs(row["est"])) for row in known), default=0.0)


def _allowed(row: dict, flat: float, kind: str) -> dict[str, Tolerance]:
    """The tolerance of each figure of a parameter: relative to it, or to its error where that allows more."""
    usual, standardized = TOLERANCES[f"estimate{kind}"], TOLERANCES[f"standardized{kind}"]
    deviation = TOLERANCES["standardized error"]
    error, std_error = row.get("se") or 0.0, row.get("std_all_se") or 0.0
    largest = max(1.0, abs(row["est"] or 0.0), REACH / usual.limit * error)
    spread = max(1.0, error) * (1 + flat / usual.limit)

    def relative(limit: float, to: str, size: float) -> Tolerance:
        return Tolerance(limit, "sized", words=f"{limit:g} of {to}", size=size)

    reach = REACH / standardized.limit
    limit = relative(3 * usual.limit, "max(1, value)*", (largest + 1.96 * spread) / 3)
    return {
        "est": relative(usual.limit, "max(1, value)*", largest),
        "se": relative(usual.limit, "max(1, value)*", spread),
        "z": TOLERANCES["z"],
        "pvalue": TOLERANCES["p of estimate"],
        "ci.lower": limit,
        "ci.upper": limit,
        "std_all": relative(standardized.limit, f"max(1, {reach:g} SE)", max(1.0, reach * std_error)),
        "std_all_se": relative(deviation.limit, "max(1, value)*", max(1.0, std_error) * (1 + flat / deviation.limit)),
    }


def omit_lost_errors(golden: Golden, path: tuple, block: list[dict]) -> None:
    """Leave out the standard errors that lavaan's generalized inverse loses with equal parameters of uneven items."""
    labels = [row["label"] for row in block if row.get("label")]
    if golden.unevenness <= LOST or len(labels) == len(set(labels)):
        return
    reason = (
        f"variances {golden.unevenness:.0e} times each other: with equal parameters lavaan inverts the information "
        "without its small eigenvalues, and its standard errors are lost"
    )
    for i in range(len(block)):
        for theirs, name, *_ in COLUMNS:
            if name not in ("estimate", "std"):
                golden.ledger.omit((*path, i, theirs), reason)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _identity(row: dict) -> tuple:
    right = row["right"] if isinstance(row["right"], str) else ""
    return row["left"], row["op"], _right(row["op"], right), row.get("group")


def _right(op: str, right: str) -> str:
    """The right side, a formula without spaces, as lavaan prints it."""
    return right.replace(" ", "") if op == ":=" else right


def _flipped(block: list[dict], known: dict[tuple, dict]) -> set[str]:
    """Factors whose scale is no marker item: their sign is free, and ours may be the other one."""
    together: dict[str, float] = {}
    marked = set()
    for row in block:
        mine = known.get((row["lhs"], row["op"], row["rhs"], row.get("group")))
        if row["op"] != "=~" or mine is None or row["est"] is None:
            continue
        if row.get("se") == 0 and row["est"]:
            marked.add(row["lhs"])
        together[row["lhs"]] = together.get(row["lhs"], 0.0) + row["est"] * mine["estimate"]
    return {name for name, product in together.items() if product < 0 and name not in marked}


def _flip(row: dict) -> None:
    for name in ("estimate", "z", "std"):
        if name in row:
            row[name] = -row[name]
    if "lower" in row:
        row["lower"], row["upper"] = -row["upper"], -row["lower"]


def _amos(golden: Golden, path: tuple, plain: confirm.Cfa, found: confirm.Cfa) -> None:
    ledger, ours = golden.ledger, found.fit["value"]
    names = {"rmsea_lo90": "rmsea_lower", "rmsea_hi90": "rmsea_upper"}
    for name in golden.block(*path):
        if name == "note":
            continue
        if name == "se_factor":
            value = float((found.parameters["se"] / plain.parameters["se"]).median())
            ledger.compare((*path, name), value, "AMOS convention", "fit")
        elif name == "df":
            ledger.compare((*path, name), ours.get("df"), "AMOS convention, df", "exact")
        else:
            exact = name in ("chi2", "chi2_df", "baseline_chi2", "aic", "bic")
            metric = "AMOS convention, chi-square, AIC, BIC" if exact else "AMOS convention, fit measures"
            ledger.compare((*path, name), ours.get(names.get(name, name)), metric, "chi-square" if exact else "fit")


def _modification(golden: Golden, path: tuple, block: Mapping, found: confirm.Cfa) -> None:
    ledger = golden.ledger
    number = len(found.modification)
    if golden.unevenness > WARNED and number > block["n_modification_indices"]:
        reason = "the items' spreads are so uneven that lavaan's rounding makes some indices NA, and it leaves them out"
        ledger.omit((*path, "n_modification_indices"), reason)
    ledger.compare((*path, "n_modification_indices"), number, "modification indices, number", "exact")
    known = {(row.left, row.op, row.right): row for row in found.modification.itertuples()}
    own = found.parameters[(found.parameters["op"] == "~~") & (found.parameters["left"] == found.parameters["right"])]
    negative = set(own.loc[own["estimate"] <= 0, "left"])
    for i, row in enumerate(block["modification_indices"] or []):
        mine = known.get((row["lhs"], row["op"], row["rhs"])) or known.get((row["rhs"], row["op"], row["lhs"]))
        place = (*path, "modification_indices", i)
        ledger.compare((*place, "mi"), getattr(mine, "mi", None), "modification indices", "modification")
        if mine is not None and mine.op == "~~" and negative & {mine.left, mine.right}:
            ledger.omit((*place, "sepc.all"), _NO_UNIT)
        for theirs, name in (("epc", "epc"), ("sepc.all", "std_epc")):
            ledger.compare((*place, theirs), getattr(mine, name, None), "expected changes", "modification")
