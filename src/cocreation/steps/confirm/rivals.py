"""Rival models of the same items, nested in the one proposed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ... import style
from ...cfa.result import Cfa, fit_model
from ...cfa.specify import from_scales, task_of
from ...core.moments import covariance
from ...core.sem import ml, starts
from ...core.sem.terms import Specification
from ...errors import EstimationError, InputError
from ...inputs.answers import items_frame, scales_mapping, used
from ...inputs.options import yes_no
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NestedModels", "compared", "nested", "no_method"]

#: a method factor of so little of an item's variance is none
_NO_METHOD = 1e-4


@dataclass(frozen=True, repr=False)
class NestedModels(Result):
    """The measurement model beside its rivals.

    Attributes
    ----------
    table : DataFrame
        Columns model, chi2, df, chi2_df, rmsea, rmsea_lower, rmsea_upper, cfi, tli, nfi,
        srmr, aic, delta_chi2, delta_df, delta_p (against M1; negative where a model
        fits better), remark. A model that cannot be estimated has an empty row
        and the reason as its remark.
    models : dict
        ``{model: Cfa}`` of those that were estimated.
    n : int
    convention : str
    note : str
    """

    title = "Nested measurement models"

    table: pd.DataFrame
    models: dict[str, Cfa]
    n: int
    convention: str
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table, remarks only where there are any.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        table = self.table if self.table["remark"].astype(bool).any() else self.table.drop(columns="remark")
        return {"": table}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw RMSEA with its 90 % interval, a line a model.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        table = self.table.dropna(subset=["rmsea"]).iloc[::-1].reset_index(drop=True)
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 0.42 * len(table) + 1.3), layout="constrained")
        ax.hlines(table.index, table["rmsea_lower"], table["rmsea_upper"], color="tab:blue", linewidth=2)
        ax.plot(table["rmsea"], table.index, "o", color="tab:blue")
        ax.axvline(0.08, color="0.35", linestyle="--", linewidth=1)
        ax.set_yticks(table.index, table["model"])
        ax.set_ylim(-0.6, len(table) - 0.4)
        ax.set_xlim(left=0)
        ax.set_xlabel("RMSEA with 90 % interval (dashed: .08)")
        return style.behind(ax, table.iloc[::-1][["model", "rmsea", "rmsea_lower", "rmsea_upper"]])


_SHOWN = ["chi2", "df", "chi2_df", "rmsea", "rmsea_lower", "rmsea_upper", "cfi", "tli", "nfi", "srmr", "aic"]
_COUNT = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def nested(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, convention: str = "lavaan", method_factor: bool = True
) -> NestedModels:
    """Fit the measurement model M1 and its rivals, and compare them.

    The rivals: one factor fewer at a time, down to one, each time merging the two
    (groups of) dimensions whose factors correlate most in M1 – the hardest rival
    there is with that many factors; a second-order factor behind all dimensions;
    and M1 with a common method factor on which all items load equally.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two dimensions.
    convention : {"lavaan", "amos"}
        As :func:`cfa`.
    method_factor : bool
        Include the model with the method factor.

    Returns
    -------
    NestedModels
        A row a model with its fit and the differences from M1, and the fits themselves.

    Raises
    ------
    InputError
        For data or scales that cannot be taken.
    EstimationError
        If M1 itself cannot be estimated.

    See Also
    --------
    cfa : One model.
    difference : One comparison.
    common_method : What the method factor may mean.
    bootstrap : The model's figures over resamples.

    Notes
    -----
    A merged model sets a factor correlation to 1, the edge of what is possible, so
    the chi-square difference test is conservative there. With three dimensions the
    second-order model is M1 in other words: same chi-square.

    In R, ``lavaan::cfa`` for each row and ``lavaan::lavTestLRT`` for each difference.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = nested(answers, {code: scales[code] for code in ("DO", "CE")}, method_factor=False)
    >>> print(found.table[["model", "df"]].to_string(index=False))
              model  df
    M1: two factors  19
     M2: one factor  20
    """
    yes_no(method_factor, "method_factor")
    kinds = {"merged", "one factor", "second order"} | ({"method factor"} if method_factor else set())
    return compared(data, scales, kinds, convention=convention)


def compared(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], kinds: Container[str], *, convention: str = "lavaan"
) -> NestedModels:
    """Fit M1 and those of its rivals that are asked for, named as among all of them.

    Parameters
    ----------
    data, scales, convention
        As :func:`nested`, whose errors are raised.
    kinds : container of {"merged", "one factor", "second order", "method factor"}
        Which rivals: dimensions merged, but not all; all of them; a factor behind them; a factor beside them.

    Returns
    -------
    NestedModels
    """
    checked = scales_mapping(scales, getattr(data, "columns", None))
    if len(checked) < 2:
        raise InputError("Nested models need at least two dimensions; with one there is nothing to merge.")
    frame = items_frame(data, [item for items in checked.values() for item in items])
    task = task_of(frame, checked, convention=convention)
    first_name, first = f"M1: {_factors(len(checked))}", fit_model(task)
    models, rows = {first_name: first}, [_row(first_name, first, first, first.estimate.beside)]
    for rival in _planned(checked, first.phi.to_numpy()):
        if rival.kind not in kinds:
            continue
        try:
            model = models[rival.name] = fit_model(task.of(rival.specification))
        except EstimationError as error:
            rows.append({"model": rival.name, "remark": _reason(frame, checked, rival.kind, first, error)})
            continue
        same = rival.kind == "second order" and len(checked) == 3
        rows.append(_row(rival.name, model, first, "equivalent to M1" if same else _remark(model)))
    table = pd.DataFrame(rows)
    table = table[["model", *_SHOWN, "delta_chi2", "delta_df", "delta_p", "remark"]]
    table[["df", "delta_df"]] = table[["df", "delta_df"]].astype("Int64")
    note = (
        f"Maximum likelihood, {used(frame, data)}, convention {convention}; differences are against M1. Dimensions "
        "merge in the order of their correlations."
    )
    return NestedModels(table, models, len(frame), convention, note)


class _Rival(NamedTuple):
    kind: str
    name: str
    specification: Specification


def _planned(scales: dict[str, list[str]], phi: np.ndarray) -> list[_Rival]:
    """Return all rivals of M1, whose factor correlations are ``phi``, in their order."""
    planned: list[tuple[str, str, Specification]] = []
    for groups in _merges(list(scales), phi):
        merged = {" + ".join(group): [item for name in group for item in scales[name]] for group in groups}
        if len(groups) == 1:
            planned.append(("one factor", _factors(1), from_scales(merged)))
            continue
        joined = "; ".join(" + ".join(group) for group in groups if len(group) > 1)
        planned.append(("merged", f"{_factors(len(groups))} ({joined})", from_scales(merged)))
    if len(scales) >= 3:
        planned.append(("second order", "second order", _second_order(scales)))
    planned.append(("method factor", "M1 and a method factor", _with_method(scales)))
    return [_Rival(kind, f"M{number}: {name}", model) for number, (kind, name, model) in enumerate(planned, start=2)]


def _factors(number: int) -> str:
    return f"{_COUNT.get(number, number)} factor{'s' if number > 1 else ''}"


def _row(name: str, model: Cfa, first: Cfa, remark: str) -> dict:
    row: dict = {"model": name} | {m: model.measure(m) if m in model.fit.index else np.nan for m in _SHOWN}
    row["remark"] = remark
    change, df = model.measure("chi2") - first.measure("chi2"), model.measure("df") - first.measure("df")
    row["delta_chi2"], row["delta_df"] = (change if df else 0.0), df
    row["delta_p"] = chdtrc(abs(df), abs(change)) if df and change * df > 0 else np.nan
    return row


def _remark(model: Cfa) -> str:
    heywood = model.warnings[model.warnings["warning"].str.startswith("Heywood")]
    told = [f"negative variance: {', '.join(heywood['subject'])}"] if len(heywood) else []
    return "; ".join([*told, *filter(None, [model.estimate.beside])])


def _reason(frame: pd.DataFrame, scales: dict[str, list[str]], kind: str, first: Cfa, error: EstimationError) -> str:
    """Say why a rival failed; a method factor without variance is a finding, not a failure."""
    if kind == "method factor":
        if no_method(frame, scales, first):
            return "no method factor: its variance would be zero or negative, so the fit is M1's"
        if "gets a variance" in str(error):
            return "cannot be told from correlated dimensions: one would get a negative variance"
    return str(error)


def no_method(frame: pd.DataFrame, scales: Mapping[str, Sequence[str]], first: Cfa) -> bool:
    """Tell whether a method factor on which all items load equally takes no variance.

    Parameters
    ----------
    frame : DataFrame, shape (respondents, items)
        Complete answers.
    scales : mapping
        ``{dimension: [item, …]}``.
    first : Cfa
        The fit without that factor.

    Returns
    -------
    bool
        True where its variance comes out negative or zero; where that is not determined, where F would rise with it.
    """
    try:
        return _estimate_method_variance(frame, scales) <= _NO_METHOD
    except EstimationError:
        names = list(first.residuals.index)
        sample = covariance(frame[names].to_numpy(), divisor="N")
        sd = np.sqrt(np.diag(sample))
        left = first.residuals.to_numpy() * np.outer(sd, sd)
        weight = np.linalg.solve(sample - left, np.ones(len(names)))
        return bool(weight @ left @ weight < 0)


def _estimate_method_variance(frame: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> float:
    """Variance of a method factor with loadings 1, relative to the items' mean variance; may come out negative."""
    items = [item for group in scales.values() for item in group]
    extra = "CMV =~ " + " + ".join(f"1*y{i}" for i in range(len(items)))
    extra += "".join(f"\nCMV ~~ 0*f{i}" for i in range(len(scales)))
    specification = from_scales(scales, extra, ["CMV"])
    sample = covariance(frame[list(specification.observed)].to_numpy(), divisor="N")
    fitted = starts.optima(partial(ml.fit, sample, len(frame)), specification.model, sample).lowest
    return float(fitted.total[-1, -1] / np.diag(sample).mean())


def _second_order(scales: dict[str, list[str]]) -> Specification:
    name = _fresh("general", scales)
    extra = f"{name} =~ " + " + ".join(f"f{i}" for i in range(len(scales)))
    return from_scales(scales, extra, [name])


def _with_method(scales: dict[str, list[str]]) -> Specification:
    """M1 and an uncorrelated factor with one loading for all items, started at .2."""
    name = _fresh("method", scales)
    items = [item for group in scales.values() for item in group]
    terms = " + ".join(f"NA*start(0.2)*m*y{i}" for i in range(len(items)))
    extra = f"{name} =~ {terms}\n{name} ~~ 1*{name}" + "".join(f"\n{name} ~~ 0*f{i}" for i in range(len(scales)))
    return from_scales(scales, extra, [name])


def _fresh(name: str, scales: dict[str, list[str]]) -> str:
    taken = {*scales, *(item for group in scales.values() for item in group)}
    while name in taken:
        name += "_"
    return name


def _strength(phi: np.ndarray, first: list[int], second: list[int]) -> float:
    """How much two groups of factors correlate, but for round-off, which must not choose between equal ones."""
    return round(float(np.abs(phi[np.ix_(first, second)]).mean()), 9)


def _merges(names: list[str], phi: np.ndarray) -> list[list[list[str]]]:
    """Return the groupings with one factor fewer each time, merging where mean correlations are highest."""
    groups = [[i] for i in range(len(names))]
    found = []
    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        i, j = max(pairs, key=lambda pair: _strength(phi, *(groups[g] for g in pair)))
        groups = [sorted(groups[i] + groups[j]) if g == i else group for g, group in enumerate(groups) if g != j]
        found.append([[names[number] for number in group] for group in groups])
    return found
