"""The whole procedure on the synthetic data, figure by figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...core.moments import covariance
from ...inputs.answers import items_frame
from ...survey import datasets, fieldwork, population
from .. import conceptualize, explore, judge, purify, screen, validate
from ..confirm.rivals import compared
from ..purify.alpha import coefficient
from .comparison import Twin, compare

__all__ = ["twin"]


def twin() -> Twin:
    """Run the whole procedure on the data of the study at hand and compare with its published figures.

    Screen → purify → explore on the pre-survey, screen → confirm → validate on the
    formal survey, each with the published rules and the functions of the course;
    before them interviews and panel. Reverse-keyed items are recoded before purification,
    as in the notebooks; the study does not speak of it, and the items kept are the same without.

    Returns
    -------
    Twin
        A row a figure: published, reproduced, tolerance, verdict.

    Raises
    ------
    CourseError
        If the study has no published figures, or lacks the data for one of them.
    EstimationError
        If the data are not the shipped ones and a step cannot be computed.

    See Also
    --------
    compare : Compare figures of one's own.
    audit_study : Compare the published figures with each other.
    cocreation.survey.datasets.load : The data.

    Examples
    --------
    >>> table = twin().table.set_index("id")
    >>> table.loc[["pool", "items_kept", "formal_valid"], "reproduced"].tolist()
    [43.0, 21.0, 486.0]
    """
    world, published = population.load(), datasets.published()
    trap = ("trap", world.part("trap")["right"])
    how = {"trap": trap, "returned": "returned", "points": world.points}
    pre = screen.screen(datasets.load("pre_survey"), items=world.items["item"].tolist(), **how)
    formal = screen.screen(datasets.load("formal_survey"), items=world.kept(), **how)
    figures = _fieldwork() if "interviews" in datasets.names() else {}
    figures |= _recovery(pre, formal, world) | _selected(pre.valid, world)
    figures |= _confirmed(formal.valid, world.scales(kept_only=True))
    if "follow_up" in datasets.names():
        figures["retest"] = _retest(formal.valid, world.scales(kept_only=True))
    # a study prints what it prints: what it has no figure for is not compared
    printed = set(published["id"])
    figures = {name: value for name, value in figures.items() if name in printed}
    note = (
        "Computed from the shipped questionnaires by the functions of the course; the fit is maximum likelihood with "
        "chi-square N·F. The data are synthetic: they show that the procedure can give these figures, not that the "
        "study's data did."
    )
    return Twin(compare(figures, published), note)


def _fieldwork() -> dict[str, float]:
    talks, sorts = datasets.load("interviews"), datasets.load("expert_sorts")
    intended = datasets.load("item_pool").set_index("item")["dimension"]
    wide = {
        group: sorts[sorts["group"] == group].pivot_table(
            index="item", columns="expert", values=column, aggfunc="first"
        )
        for group, column in (("sorting", "sorted_to"), ("rating", "relevance"))
    }
    rules = fieldwork.rules()
    decided = judge.judge(
        judge.sorting(wide["sorting"], intended, agree=rules["agree"]),
        judge.relevance(wide["rating"], relevant=rules["relevant"], points=rules["ratings"]),
        raters=rules["raters"],
    )
    return {
        "interviews": talks["interview"].nunique(),
        "interview_minutes": talks.groupby("interview")["minutes"].first().mean(),
        "case_firms": talks["firm"].nunique(),
        "dimensions": talks["dimension"].nunique(),
        "themes": talks["theme"].nunique(),
        "coding_agreement": conceptualize.agreement(talks["coder_a"], talks["coder_b"]).kappa,
        "experts": sorts["expert"].nunique(),
        "pool": len(decided.kept),
    }


def _recovery(pre: screen.Screening, formal: screen.Screening, world: population.Population) -> dict[str, float]:
    before, after = (s.recovery.drop_duplicates("stage").set_index("stage") for s in (pre, formal))
    shares = {
        f"{column}.{category}": 100 * count / len(formal.valid)
        for column in world.raw["formal_survey"].get("firms", {})
        for category, count in formal.valid[column].value_counts().items()
    }
    return shares | {
        "scale_points": len(np.unique(pre.valid[world.kept()].to_numpy())),
        "pre_distributed": before.loc["distributed", "n"],
        "pre_valid": before.loc["valid", "n"],
        "pre_recovery": before.loc["valid", "percent_of_distributed"],
        "formal_distributed": after.loc["distributed", "n"],
        "formal_returned": after.loc["returned", "n"],
        "formal_valid": after.loc["valid", "n"],
        "formal_recovery": after.loc["valid", "percent_of_returned"],
        "formal_recovery_distributed": after.loc["valid", "percent_of_distributed"],
    }


def _selected(valid: pd.DataFrame, world: population.Population) -> dict[str, float]:
    # the study does not speak of recoding; without it no CITC of a reverse-keyed item means anything
    turned = world.items.loc[world.items["flaw"] == "reverse_keyed", "item"]
    valid = valid.copy()
    valid[turned] = world.turned(valid[turned])
    purified = purify.purify(valid, world.scales())
    pool = [item for items in purified.kept.values() for item in items]
    explored = explore.explore(valid, items=pool)
    final, adequate = explored.final, explore.adequacy(valid, items=explored.kept)
    left = {code: [item for item in items if item in explored.kept] for code, items in world.scales().items()}
    return {
        "items_kept": len(explored.kept),
        "items_intended": len(set(explored.kept) & set(world.kept())),
        "factors": final.loadings.shape[1],
        "variance": final.variance["cumulative"].iloc[-1],
        "efa_loading": final.loadings.abs().max(axis=1).min(),
        "pre_alpha": min(coefficient(covariance(items_frame(valid, items).to_numpy())) for items in left.values()),
        "kmo": adequate.kmo,
        "bartlett_chi2": adequate.bartlett_chi2,
    }


def _confirmed(valid: pd.DataFrame, scales: dict[str, list[str]]) -> dict[str, float]:
    models = compared(valid, scales, {"merged", "one factor"})
    model = models.models[models.table["model"].iloc[0]]
    checked = validate.validity(valid, scales, model=model)
    ratios = checked.htmt.to_numpy()
    fit = {name: model.measure(name) for name in ("chi2", "df", "chi2_df", "rmsea", "nfi", "tli", "cfi", "srmr")}
    fit |= {name: model.measure(name) for name in ("rmsea_lower", "rmsea_upper")}
    table = checked.table
    return fit | {
        # by AIC, of those whose factors correlate
        "best_model": len(min(models.models.values(), key=lambda each: each.measure("aic")).phi),
        "cfa_loading": model.loadings["std"].min(),
        "cfa_loading_p": model.loadings["p"].max(),
        "alpha_lowest": table["alpha"].min(),
        "alpha_highest": table["alpha"].max(),
        "cr_lowest": table["cr"].min(),
        "cr_highest": table["cr"].max(),
        "ave_lowest": table["ave"].min(),
        "fornell_larcker": (table["root_ave"] - table["largest_correlation"]).min(),
        "htmt": ratios[~np.eye(len(ratios), dtype=bool)].max(),
    }


def _retest(valid: pd.DataFrame, scales: dict[str, list[str]]) -> float:
    again = datasets.load("follow_up").set_index("respondent")
    first = valid.set_index("respondent").loc[again.index]
    return min(first[items].mean(axis=1).corr(again[items].mean(axis=1)) for items in scales.values())
