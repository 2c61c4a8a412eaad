"""Generating items: wordings that invite trouble, and how the pool covers the construct."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from .. import style
from ..errors import InputError, plain
from ..inputs.labels import labels_in, refuse_alike
from ..inputs.options import plain_table, whole
from ..results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FLAWS", "Coverage", "Wording", "coverage", "wording"]

_NEGATION = (
    r"\b(?:no|not|never|none|nobody|nothing|nowhere|neither|nor|without|hardly|cannot|lacks?|un(?:able|aware))\b"
)
_NEGATION += r"|n['’]t\b"
_ABSOLUTE = (
    r"\b(?:always|never|all|every|everybody|everyone|everything|none|nobody|nothing|any|anything|only|"
    r"completely|totally|entirely|absolutely)\b"
)

#: what the checks look for -> what to do about it
FLAWS = {
    "long": "shorten it",
    "double_barrelled": "ask one thing in one item",
    "negation": "say it positively, or mark it as reverse-keyed",
    "absolute": "nobody can fully agree: leave the absolute word out",
}


@dataclass(frozen=True, repr=False)
class Wording(Result):
    """What a machine can see in a wording.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``words``, ``grade`` (years of schooling the Flesch–Kincaid
        formula asks for), and True or False for ``long``,
        ``double_barrelled``, ``negation``, ``absolute``.
    flagged : DataFrame
        ``item``, ``flaw``, ``found`` (the words that gave it away),
        ``remedy``, ``wording``: a row a suspicion.
    note : str
    """

    items: pd.DataFrame
    flagged: pd.DataFrame
    note: str

    title = "Wording of the items"
    digits = 1

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the suspicions; ``items`` has a row an item and is not shown.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {"flagged": self.flagged}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the lengths of the items, the suspicious ones in colour.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        ax = ax if ax is not None else plt.subplots(figsize=(8, 4))[1]
        flaws = self.items[list(FLAWS)]
        kind = flaws.idxmax(axis=1).str.replace("_", "-").where(flaws.any(axis=1), "nothing found")
        kind = kind.mask(flaws.sum(axis=1) > 1, "more than one")
        named = [*(flaw.replace("_", "-") for flaw in FLAWS), "more than one"]
        shown = ["nothing found", *(name for name in named if (kind == name).any())]
        sns.histplot(
            x=self.items["words"],
            hue=kind.rename("suspicion"),
            hue_order=shown[::-1],
            palette=["0.8", *sns.color_palette("colorblind", len(shown) - 1)][::-1],
            multiple="stack",
            discrete=True,
            alpha=1,
            ax=ax,
        )
        ax.set(xlabel="words", ylabel="items")
        sns.move_legend(ax, "upper right", frameon=False)
        return style.behind(ax, pd.crosstab(self.items["words"], kind).rename_axis(columns=None))


def wording(items: Mapping[str, str] | pd.Series, *, most_words: int = 16) -> Wording:
    """Look for wordings that are long, ask two things, negate or exaggerate.

    Parameters
    ----------
    items : mapping or Series from item to wording
        The pool.
    most_words : int
        A longer item is "long".

    Returns
    -------
    Wording
        A row an item with its length and reading grade, a row a suspicion with the words that raised it.

    See Also
    --------
    coverage : How the items spread over dimensions and themes.
    cocreation.steps.judge.relevance : What experts make of them.

    Notes
    -----
    The checks look at words, not at meaning: "and" may join two nouns that
    belong together, and a statement can ask two things without an "and". They
    say where to look; a person decides. The reading grade is that of Kincaid
    et al. (1975), 0.39·words per sentence + 11.8·syllables per word − 15.59,
    with syllables estimated from groups of vowels; it holds for English only.

    Raises
    ------
    InputError
        If there are no items, an item is named twice or looks like another, or a wording is empty or not text.

    Examples
    --------
    >>> found = wording({"DO01": "We ask customers early.", "DO02": "We always ask early and often."})
    >>> print(found.flagged[["item", "flaw", "found"]].to_string(index=False))
    item             flaw  found
    DO02 double_barrelled    and
    DO02         absolute always
    """
    texts = _texts(items)
    whole(most_words, "most_words")
    rows, flagged = [], []
    for item, text in texts.items():
        words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+", text)
        found = _found(text, words, most_words)
        rows.append({"item": item, "words": len(words), "grade": _grade(text, words)} | {f: f in found for f in FLAWS})
        flagged += [
            {"item": item, "flaw": flaw, "found": evidence, "remedy": FLAWS[flaw], "wording": text}
            for flaw, evidence in found.items()
        ]
    table = pd.DataFrame(flagged, columns=["item", "flaw", "found", "remedy", "wording"])
    suspicious = table["item"].nunique()
    note = (
        f"{len(texts)} items, {suspicious} with at least one suspicion. 'Long' is more than {most_words} words; the "
        "other checks look for words such as and/or, not, always. A person decides."
    )
    return Wording(pd.DataFrame(rows), table, note)


def _texts(items: Mapping[str, str] | pd.Series) -> dict[str, str]:
    if not isinstance(items, (Mapping, pd.Series)):
        raise InputError(
            f"Expected a mapping from item to wording, got {type(items).__name__}. "
            "Use pool.set_index('item')['wording']."
        )
    if isinstance(items, pd.Series) and items.index.duplicated().any():
        raise InputError(f"Item '{items.index[items.index.duplicated()][0]}' is named twice. Name every item once.")
    texts = dict(items.items())
    if not texts:
        raise InputError("There are no items to look at. Give a mapping from item to wording.")
    refuse_alike(texts, "items")
    for item, text in texts.items():
        if not isinstance(text, str) or not re.search(r"[^\W_]", text):
            raise InputError(f"Item '{item}' has no wording. Write one or leave the item out.")
    return texts


def _found(text: str, words: list[str], most_words: int) -> dict[str, str]:
    patterns = {
        "double_barrelled": r"\b(?:and/or|and|or|as well as)\b",
        "negation": _NEGATION,
        "absolute": _ABSOLUTE,
    }
    found = {"long": f"{len(words)} words"} if len(words) > most_words else {}
    for flaw, pattern in patterns.items():
        hits = [hit.group().lower() for hit in re.finditer(pattern, text, flags=re.IGNORECASE)]
        if hits:
            found[flaw] = ", ".join(dict.fromkeys(hits))
    return found


def _grade(text: str, words: list[str]) -> float:
    sentences = max(1, len(re.findall(r"[.!?]+(?:\s|$)", text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    """Estimate: groups of vowels, without the silent e of "make", "asked" and "every" ("table" keeps its)."""
    word = word.lower().replace("every", "evry")
    groups = len(re.findall(r"[aeiouyäöü]+", word))
    if re.search(r"[^aeiouyl]e$|[aeiouy]les?$|[^aeiouyclghsxz]es$|[^aeioudt]ed$", word) and groups > 1:
        groups -= 1
    return max(1, groups)


@dataclass(frozen=True, repr=False)
class Coverage(Result):
    """How the items spread over dimensions and themes.

    Attributes
    ----------
    dimensions : DataFrame
        ``dimension``, ``themes``, ``items``, ``enough`` (at least the
        required number) and, if the final length is known, ``final``,
        ``needed`` (factor × final), ``spare`` and ``twice`` (rule met).
    themes : DataFrame
        ``dimension``, ``theme``, ``items``.
    note : str
    """

    dimensions: pd.DataFrame
    themes: pd.DataFrame
    note: str

    title = "Coverage of the construct"
    digits = 1

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the items a theme, a colour a dimension.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        ax = ax if ax is not None else plt.subplots(figsize=(8, 0.32 * len(self.themes) + 1.2))[1]
        place = range(len(self.themes))
        dimensions = self.dimensions["dimension"].tolist()
        for dimension, color in zip(dimensions, sns.color_palette("colorblind", len(dimensions)), strict=True):
            rows = self.themes["dimension"] == dimension
            bars = ax.barh(
                [i for i, row in zip(place, rows, strict=True) if row],
                self.themes.loc[rows, "items"],
                color=color,
                label=dimension,
            )
            ax.bar_label(bars, padding=3)
        ax.set_yticks(list(place), self.themes["theme"])
        ax.invert_yaxis()
        ax.set(xlabel="items", ylabel="", xlim=(0, self.themes["items"].max() * 1.12))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y", visible=False)
        ax.legend(title="dimension", loc="best")
        return style.behind(ax, self.themes[["dimension", "theme", "items"]])


def coverage(
    items: pd.DataFrame,
    *,
    scheme: pd.DataFrame | None = None,
    final: Mapping[str, int] | None = None,
    at_least: int = 3,
    factor: float = 2,
) -> Coverage:
    """Count items a dimension and theme, and check the study's two rules.

    Parameters
    ----------
    items : DataFrame [item, dimension, theme, …]
    scheme : DataFrame [dimension, theme], optional
        Every theme the construct has, so that one without an item is seen.
    final : mapping from dimension to the items planned for the final scale, optional
        The pool should hold ``factor`` times as many.
    at_least : int
        The fewest items a dimension.
    factor : float
        Two, in the rule the study takes from Velicer and Schinka (2003).

    Returns
    -------
    Coverage
        A row a dimension with its items and whether they are enough, a row a theme.

    Raises
    ------
    InputError
        For a missing column, a missing or blank value, an item named twice, names
        that look alike, a theme that the scheme lacks, or a dimension without a
        final length.

    See Also
    --------
    wording : Suspicious wordings.
    cocreation.survey.fieldwork.item_pool : The course's pool.
    cocreation.steps.judge.sorting : What experts make of it.

    Examples
    --------
    >>> import pandas as pd
    >>> pool = pd.DataFrame({"item": ["x", "y", "z"], "dimension": ["A", "A", "A"], "theme": ["joy", "joy", "task"]})
    >>> coverage(pool, final={"A": 2}).dimensions.to_dict("records")
    [{'dimension': 'A', 'themes': 2, 'items': 3, 'enough': True, 'final': 2, 'needed': 4, 'spare': -1, 'twice': False}]
    """
    whole(at_least, "at_least", least=0)
    if final is not None and not isinstance(final, (Mapping, pd.Series)):
        raise InputError(f"final says how many items each dimension keeps, not {plain(final)}. Write {{'DO': 4, …}}.")
    counts = _theme_counts(items, scheme)
    dimensions = (
        counts.groupby("dimension", sort=False).agg(themes=("theme", "size"), items=("items", "sum")).reset_index()
    )
    dimensions["enough"] = dimensions["items"] >= at_least
    note = f"{counts['items'].sum()} items. Rule: at least {at_least} items a dimension"
    if final is not None:
        refuse_alike([*dimensions["dimension"], *final.keys()], "dimensions")
        unplanned = [code for code in dimensions["dimension"] if code not in final]
        if unplanned:
            raise InputError(f"final says nothing of the dimension '{unplanned[0]}'. Give its planned length.")
        dimensions["final"] = dimensions["dimension"].map(dict(final))
        dimensions["needed"] = factor * dimensions["final"]
        dimensions["spare"] = dimensions["items"] - dimensions["needed"]
        dimensions["twice"] = dimensions["spare"] >= 0
        note += f", and at least {factor:g} times the final length"
    return Coverage(dimensions, counts, note + ".")


def _theme_counts(items: pd.DataFrame, scheme: pd.DataFrame | None) -> pd.DataFrame:
    for name, table, columns in (
        ("items", items, ["item", "dimension", "theme"]),
        ("scheme", scheme, ["dimension", "theme"]),
    ):
        if name == "scheme" and table is None:
            continue
        plain_table(table, columns, what=name, row="an item" if name == "items" else "a theme")
        said = pd.DataFrame(
            {
                column: labels_in(table[column], f"{column}s", f"{name}[{plain(column)}]", where=f"of the {name}")
                for column in columns
            }
        )
        if said.isna().any(axis=None) or table.empty:
            raise InputError(f"The {name} are empty or have a row without {', '.join(columns)}. Complete them.")
        if name == "items":
            items = said
        else:
            scheme = said
            for column in columns:
                refuse_alike([*scheme[column], *items[column]], f"{column}s", where="of the scheme and the items")
    repeated = items.loc[items["item"].duplicated(), "item"]
    if len(repeated):
        raise InputError(f"Item '{repeated.iloc[0]}' is named twice. Name every item once.")
    counts = items.groupby(["dimension", "theme"], sort=False).size()
    if scheme is not None:
        known = pd.MultiIndex.from_frame(scheme[["dimension", "theme"]].drop_duplicates())
        foreign = counts.index.difference(known)
        if len(foreign):
            raise InputError(f"The theme '{foreign[0][1]}' of dimension '{foreign[0][0]}' is not in the scheme.")
        counts = counts.reindex(known, fill_value=0)
    return counts.rename("items").reset_index()
