"""A method factor that R leaves at zero: no solution of its own, but the model without it; a room behind ``agree``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import EstimationError
from ..steps.confirm import Cfa
from ..steps.confirm.rivals import no_method
from .sets import Golden

__all__ = ["at_the_boundary"]

#: standardized loadings below this are none
_NOTHING = 1e-3


def at_the_boundary(golden: Golden, block: Mapping) -> tuple[str, Cfa] | None:
    """Tell a model whose method factor vanishes, as :func:`cocreation.steps.confirm.nested` does.

    Parameters
    ----------
    golden : Golden
    block : mapping
        A fitted model of R's with a factor on which all items load equally.

    Returns
    -------
    (str, Cfa) or None
        The reason, and our fit of the model without that factor, which is the same model then. None where R's
        loadings are not zero, or a positive variance fits better than none: then R's is no optimum.
    """
    loadings: dict[str, list[dict]] = {}
    for row in block.get("parameters") or []:
        if row["op"] == "=~":
            loadings.setdefault(row["lhs"], []).append(row)
    items = [item for group in golden.scales.values() for item in group] if golden.block("reliability") else []
    for factor, rows in loadings.items():
        largest = max(abs(row.get("std_all") or 0.0) for row in rows)
        equal = len({row.get("label") for row in rows}) == 1 and rows[0].get("label")
        if largest > _NOTHING or not equal or sorted(row["rhs"] for row in rows) != sorted(items):
            continue
        lines = [line for line in block["syntax"].splitlines() if not re.search(rf"\b{re.escape(factor)}\b", line)]
        try:
            without = golden.cfa("\n".join(lines))
        except EstimationError:
            return None
        if no_method(golden.complete[items], golden.scales, without):
            return (
                "no method factor: its variance would be zero or negative, so the fit is that of the model without it, "
                f"whose chi-square is compared. In R the loadings of {factor} are {largest:.0e}, and their errors mean "
                "nothing"
            ), without
    return None
