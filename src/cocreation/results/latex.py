"""A table in LaTeX, with booktabs' rules."""

from __future__ import annotations

import re
import unicodedata

from .table import MINUS, Runs, Table, plain

__all__ = ["to_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    '"': "''", "\n": " ", "\u00a0": "~", "\u202f": r"\,",
    MINUS: "$-$", "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "„": ",,", "…": r"\dots{}",
    "×": r"$\times$", "·": r"$\cdot$", "±": r"$\pm$", "≤": r"$\le$", "≥": r"$\ge$", "≈": r"$\approx$", "≠": r"$\ne$",
    "√": r"$\surd$", "∞": r"$\infty$", "Σ": r"$\Sigma$", "∗": r"$\ast$", "→": r"$\rightarrow$", "←": r"$\leftarrow$",
    "²": r"$^{2}$", "³": r"$^{3}$", "⁻": r"$^{-}$", "¹": r"$^{1}$", "₀": r"$_{0}$", "₁": r"$_{1}$",
    "₆": r"$_{6}$", "½": r"$\frac{1}{2}$",
    "°": r"$^{\circ}$", "§": r"\S{}", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"{\i}", "€": r"\texteuro{}",
}  # fmt: skip
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Phi",
            "Psi",
            "Omega",
        ],
        strict=True,
    )
)
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
            "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k"}  # fmt: skip


def _latex(text: str) -> str:
    # two formulas side by side are one
    return re.sub(r"(?<!\\)\$\$", "", "".join(map(_latex_character, text)))


def _latex_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _GREEK:
        return rf"$\{_GREEK[character]}$"
    if character.isascii():
        return character
    base, *marks = unicodedata.normalize("NFD", character)
    if marks and base.isascii() and all(mark in _ACCENTS for mark in marks):
        text = {"i": r"\i", "j": r"\j"}.get(base, base)
        for mark in marks:
            text = rf"\{_ACCENTS[mark]}{{{text}}}"
        return text
    return character  # such as Chinese: for XeLaTeX or LuaLaTeX with a font that has it


def _runs_latex(text: Runs) -> str:
    return "".join(rf"\textit{{{_latex(piece)}}}" if italic else _latex(piece) for piece, italic in text)


def to_latex(table: Table) -> str:
    """Return the table as a LaTeX float, booktabs' rules; LaTeX counts the tables itself."""
    size = r"\footnotesize" if table.width > 84 else ""
    turned = table.width > 118
    float_name = "sidewaystable" if turned else "table"
    needs = r"\usepackage{booktabs,rotating}" if turned else r"\usepackage{booktabs}"
    kinds = "".join(_latex_column(column.cells, column.numeric, turned) for column in table.columns)
    lines = [
        f"% {needs}",
        rf"\begin{{{float_name}}}[htbp]{size}",
        rf"\caption{{\textit{{{_latex(plain(table.title))}}}}}",
    ]
    lines += [rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}", r"\toprule"]
    if table.spanners:
        cells = [
            rf"\multicolumn{{{width}}}{{c}}{{{_runs_latex(text)}}}" if text else " & " * (width - 1)
            for text, _, width in table.spanners
        ]
        rules = [rf"\cmidrule(lr){{{first + 1}-{first + width}}}" for text, first, width in table.spanners if text]
        lines += [" & ".join(cells) + r" \\", "".join(rules)]
    heads = [
        rf"\multicolumn{{1}}{{r}}{{{_runs_latex(column.head)}}}" if column.numeric else _runs_latex(column.head)
        for column in table.columns
    ]
    lines += [" & ".join(heads) + r" \\", r"\midrule"]
    # a bracket at the start of a row would be read as an option of the line break before it
    for row in table.rows:
        cells = [_latex(cell) for cell in row]
        lines.append(("{}" if cells[0].startswith(("[", "*")) else "") + " & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.note:
        lines += [
            "",
            r"\smallskip",
            rf"\begin{{minipage}}{{\linewidth}}\footnotesize {_runs_latex(table.note)}\end{{minipage}}",
        ]
    lines.append(rf"\end{{{float_name}}}")
    return "\n".join(lines) + "\n"


def _latex_column(cells: tuple[str, ...], numeric: bool, turned: bool) -> str:
    if numeric:
        return "r"
    longest = max((len(cell) for cell in cells), default=0)
    return "l" if longest <= 28 else rf"p{{{'5.5' if turned else '4.5'}cm}}"
