"""Which study is at hand: the folder of its files, and what they say.

One study is one folder of data: ``population.toml`` (who answers what, and how) and, where the study has them,
``fieldwork.toml`` (interviews, item pool, panel) and ``published.toml`` (the figures it prints). The data sets
drawn from them lie beside them. Unless a path says otherwise it is the folder ``datasets`` of the course, or of
the folder that the environment variable ``COCREATION_ROOT`` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .._files import read_toml
from .._paths import course_root, restoring
from ..errors import CourseError
from .plans import check_published

__all__ = ["OnDemand", "facts", "find", "forget", "published"]


class OnDemand(Mapping):
    """A mapping whose content is looked up whenever it is asked for: it belongs to the study at hand.

    Parameters
    ----------
    look : callable
        Returns the mapping as it is now.
    """

    def __init__(self, look: Callable[[], Mapping[str, Any]]) -> None:
        self._look = look

    def __getitem__(self, key: str) -> Any:
        return self._look()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())

    def __repr__(self) -> str:
        return repr(dict(self._look()))


def find(name: str, path: str | Path | None = None) -> Path:
    """Return where a study's file of this name lies, whether it is there or not.

    Parameters
    ----------
    name : str
        Such as "population.toml".
    path : path, optional
        The file itself, the study's folder, or a folder with the study in its ``datasets``; the study at hand by
        default.

    Returns
    -------
    Path

    Raises
    ------
    CourseError
        If no path is given and there is no study at hand.

    See Also
    --------
    facts : What the file says.
    cocreation.survey.datasets.path : Where a data set lies.

    Examples
    --------
    >>> find("population.toml").parent.name
    'datasets'
    >>> find("population.toml", find("population.toml").parent) == find("population.toml")
    True
    """
    if path is None:
        return course_root() / "datasets" / name
    path = Path(path)
    if not path.is_dir():
        return path
    inside = path / "datasets" / name
    return inside if inside.exists() and not (path / name).exists() else path / name


def facts(
    path: str | Path,
    *,
    remedy: str = "Correct it, or name another file.",
    check: Callable[[Mapping[str, Any], Path], None] | None = None,
) -> dict[str, Any]:
    """Return what one of a study's TOML files says; it is read again only when it has changed.

    Parameters
    ----------
    path : path
        The file.
    remedy : str
        What to do if it is no TOML, a sentence.
    check : callable, optional
        Called with what was read and the file; raises if something in it is wrong.

    Returns
    -------
    dict
        The tables of the file. It is the same object until the file changes, so it must not be altered.

    Raises
    ------
    CourseError
        If the file is not there or is not TOML, or what ``check`` raises.

    See Also
    --------
    find : Where a file lies.
    forget : Read all files anew.
    published : What ``published.toml`` says.

    Examples
    --------
    >>> facts(find("population.toml"))["scale"]["points"]
    7
    """
    path = Path(path)
    try:
        found = path.stat()
    except OSError:
        return read_toml(path, remedy=remedy)
    return _parsed(path, remedy, check, found.st_mtime_ns, found.st_size)


def published() -> dict[str, Any]:
    """Return what ``published.toml`` of the study at hand says.

    Returns
    -------
    dict
        The tables of the file.

    Raises
    ------
    CourseError
        If the study has no such file, or something in it is wrong.

    See Also
    --------
    facts : Any file of a study.
    find : Where it lies.
    cocreation.survey.datasets.published : Its figures as a table.

    Examples
    --------
    >>> published()["study"]["respondents"]
    486
    """
    file = find("published.toml")
    if not file.exists():
        raise CourseError(f"The study has no published figures ({file}). Write them there to compare with them.")
    return facts(file, remedy=restoring(file), check=check_published)


def forget() -> None:
    """Read every file anew when it is asked for next, also one that was changed within the clock's grain.

    See Also
    --------
    facts : Read a file.
    published : What ``published.toml`` says.

    Examples
    --------
    >>> forget()
    """
    _parsed.cache_clear()


@lru_cache(maxsize=16)
def _parsed(
    path: Path, remedy: str, check: Callable[[Mapping[str, Any], Path], None] | None, _changed: int, _size: int
) -> dict[str, Any]:
    read = read_toml(path, remedy=remedy)
    if check is not None:
        check(read, path)
    return read
