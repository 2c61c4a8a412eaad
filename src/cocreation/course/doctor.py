"""Look whether the course can run here, and say what to do where it cannot."""

from __future__ import annotations

import csv
import filecmp
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from .._files import user_path
from .._paths import course_root
from ..errors import CourseError

__all__ = ["Finding", "Report", "examine"]

_INSTALL = "pip install --require-hashes -r requirements.lock && pip install --no-deps -e ."
#: a kernel that died is told at once; this only bounds one that hangs, on a machine however busy
_SECONDS = 300


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    what : str
    state : {"ok", "info", "warn", "fail"}
        "fail" keeps the course from running; "warn" may change figures or speed; "info" is good to know.
    found : str
    remedy : str
        What to do, empty if nothing is to be done.
    """

    what: str
    state: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """All findings, in the order in which they were made."""

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether anything keeps the course from running."""
        return any(finding.state == "fail" for finding in self.findings)

    def records(self) -> list[dict[str, str]]:
        """Return the findings as plain dicts, for JSON."""
        return [asdict(finding) for finding in self.findings]


def examine(folder: Path | str = "~/cocreation", *, progress: Callable[[int, int, str], None] | None = None) -> Report:
    """Look at Python, packages, data, kernel, folder, threads, fonts and browser.

    Parameters
    ----------
    folder : path
        The working copy's folder, for the question whether it can be written to.
    progress : callable, optional
        Called with (looks done, looks in all, the next one).
    """
    # what to look at, and how bad it is if it cannot even be looked at
    looks = {
        "Python": ("fail", _python),
        "packages": ("fail", _packages),
        "course files": ("fail", _course_files),
        "data sets": ("fail", _data_sets),
        "kernel": ("fail", _kernel),
        "working copy": ("fail", lambda: _folder(user_path(folder))),
        "threads": ("fail", _threads),
        "course key": ("fail", _course_key),
        "fonts": ("fail", _fonts),
        "browser": ("info", _browser),
    }
    findings: list[Finding] = []
    for done, (what, (worst, look)) in enumerate(looks.items()):
        if progress:
            progress(done, len(looks), what)
        findings.extend(Finding(what, *result) for result in _survived(look, worst))
    return Report(tuple(findings))


def _survived(look: Callable[[], Iterator[tuple[str, ...]]], worst: str) -> Iterator[tuple[str, ...]]:
    """Yield what a look finds, and what stopped it: whatever is broken here, saying so is what a doctor is for."""
    try:
        yield from look()
    except CourseError as error:
        yield worst, "cannot be looked at", str(error)
    except ImportError as error:
        yield worst, f"cannot be looked at: {error}", f"Install it: {_INSTALL}"
    except Exception as error:
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        yield worst, f"cannot be looked at: {told}", f"If it is not clear what to mend, install anew: {_INSTALL}"


def _python() -> Iterator[tuple[str, ...]]:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11):  # noqa: UP036 – a copied package may run on an older Python
        yield "fail", found, "Install Python 3.11, 3.12 or 3.13."
    elif sys.version_info >= (3, 14):
        yield "warn", found, "The course is tested on Python 3.11 to 3.13; use one of these if something fails."
    else:
        yield "ok", found


def _packages() -> Iterator[tuple[str, ...]]:
    needed, pinned = _needed(), _pinned()
    missing = sorted(name for name in needed if _installed(name) is None)
    core = sorted(name for name in missing if not needed[name])
    if core:
        yield "fail", f"missing: {', '.join(core)}", f"Install them: {_INSTALL}"
    if tools := sorted(set(missing) - set(core)):
        yield "warn", f"missing for book, Lab or release: {', '.join(tools)}", f"Install them: {_INSTALL}"
    other = [
        f"{name} {_installed(name)} (locked: {version})"
        for name, version in sorted(pinned.items())
        if _installed(name) not in (None, version)
    ]
    if other:
        shown = ", ".join(other[:4]) + (f" and {len(other) - 4} more" if len(other) > 4 else "")
        yield (
            "warn",
            f"other versions than locked: {shown}",
            f"Figures may differ in the last digits. Install: {_INSTALL}",
        )
    if not missing and not other:
        locked = f"all {len(pinned)} as locked" if pinned else "all there; no lock file here to compare with"
        yield "ok", locked


def _needed() -> dict[str, bool]:
    """Return {package: whether it is needed only by the course's tools}, as the installed metadata say."""
    from packaging.requirements import Requirement

    needed: dict[str, bool] = {}
    for line in metadata.requires("cocreation") or []:
        requirement = Requirement(line)
        for extra in ("", "course"):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed.setdefault(requirement.name, extra == "course")
                break
    return needed


def _pinned() -> dict[str, str]:
    """Return {package: version} of the lock file, for this platform; empty outside a checkout."""
    from packaging.requirements import Requirement

    lock = course_root() / "requirements.lock"
    if not lock.is_file():
        return {}
    pinned = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9_.\-]+==[^\\#]+)", line):
            requirement = Requirement(match[1].strip())
            if requirement.marker is None or requirement.marker.evaluate():
                pinned[requirement.name] = str(requirement.specifier).removeprefix("==")
    return pinned


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _course_files() -> Iterator[tuple[str, ...]]:
    try:
        root = course_root()
    except CourseError as error:
        yield "fail", "not found", str(error)
        return
    lacking = [name for name in ("datasets", "notebooks", "exercises") if not (root / name).is_dir()]
    if lacking:
        yield "fail", f"{root} lacks {', '.join(lacking)}", "Install the course anew, or restore the checkout with git."
    else:
        yield "ok", str(root)


def _data_sets() -> Iterator[tuple[str, ...]]:
    folder = course_root() / "datasets"
    damaged = []
    for path in sorted(folder.glob("*.csv")):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                widths = {len(row) for row in csv.reader(file)}
            if len(widths) != 1:
                damaged.append(path.name)
        except (OSError, UnicodeDecodeError, csv.Error):
            damaged.append(path.name)
    restore = "Write them anew: cocreation data"
    if damaged:
        yield "fail", f"cannot be read: {', '.join(damaged)}", restore
        return
    from ..survey import datasets

    with tempfile.TemporaryDirectory() as fresh:
        datasets.write(fresh)
        names = sorted(path.name for path in Path(fresh).rglob("*") if path.is_file())
        _, changed, absent = filecmp.cmpfiles(folder, fresh, names, shallow=False)
    if changed or absent:
        listed = ", ".join(sorted([*changed, *absent])[:4])
        yield "warn", f"not what the course ships: {listed}", f"The book's figures need the shipped data. {restore}"
    else:
        yield "ok", f"{len(names)} files, byte for byte as generated"


def _kernel() -> Iterator[tuple[str, ...]]:
    try:
        from jupyter_client.kernelspec import NoSuchKernel
        from jupyter_client.manager import start_new_kernel
    except ImportError:
        yield "warn", "Jupyter is not installed", f"Notebooks and the book need it: {_INSTALL}"
        return
    repair = f"Register it: {sys.executable} -m ipykernel install --sys-prefix --name python3"
    with tempfile.TemporaryFile() as said:
        try:
            manager, client = start_new_kernel(
                kernel_name="python3",
                startup_timeout=_SECONDS,
                extra_arguments=["--IPKernelApp.log_level=ERROR"],
                stderr=said,
            )
        except (NoSuchKernel, OSError, RuntimeError) as error:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            yield "fail", f"the kernel python3 does not start: {'; '.join([str(error), *last])}", repair
            return
    try:
        two = _ask(client, "1 + 1")
        where = _ask(client, "__import__('sys').executable")
        known = _ask(client, "__import__('importlib.util').util.find_spec('cocreation') is not None")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if two != "2":
        yield "fail", f"the kernel python3 starts, but 1 + 1 gave {two or 'no answer'}", repair
    elif known != "True":
        yield "fail", f"the kernel python3 runs {where}, where the course is not installed", repair
    else:
        yield "ok", "python3 starts, computes 1 + 1 and finds the course"


def _ask(client, expression: str) -> str:
    from queue import Empty

    try:
        reply = client.execute_interactive(
            "", user_expressions={"answer": expression}, timeout=_SECONDS, output_hook=lambda _: None
        )
    except (Empty, TimeoutError):
        return ""
    return reply["content"].get("user_expressions", {}).get("answer", {}).get("data", {}).get("text/plain", "")


def _folder(folder: Path) -> Iterator[tuple[str, ...]]:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    choose = "Choose another with: cocreation lab --folder DIR"
    if not there.is_dir():
        yield "fail", f"{there} is a file", choose
        return
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        yield "fail", f"cannot write in {there}: {error.strerror}", choose
        return
    if free < 500 * 2**20:
        yield "warn", f"{folder}: {free / 2**20:.0f} MB free", "The book and its cache need about 500 MB."
    else:
        yield "ok", f"{folder} can be written to"
    changed = _changed_data(folder)
    if changed:
        yield (
            "info",
            f"other data sets than the course's: {', '.join(changed[:4])}",
            "The notebooks there read them. Delete a file and start Lab again to get the course's own back.",
        )


def _changed_data(folder: Path) -> list[str]:
    """Return the data sets of a working copy that are changed or lost; none if there is no copy."""
    theirs, ours = folder / "datasets", course_root() / "datasets"
    if not theirs.is_dir() or theirs.resolve() == ours:
        return []
    names = sorted(path.name for path in ours.glob("*.csv"))
    return sorted({name for group in filecmp.cmpfiles(ours, theirs, names, shallow=False)[1:] for name in group})


def _threads() -> Iterator[tuple[str, ...]]:
    import numpy  # noqa: F401 – loads the linear algebra that is to be looked at
    from threadpoolctl import threadpool_info

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    found = f"linear algebra uses {threads} of {cores} processors"
    if threads > cores:
        yield "warn", found, "Set OMP_NUM_THREADS=1: more threads than processors make fits many times slower."
    elif threads > 1:
        yield "info", found, "On shared processors OMP_NUM_THREADS=1 is faster; 'cocreation lab' sets it."
    else:
        yield "ok", found


def _course_key() -> Iterator[tuple[str, ...]]:
    from . import personal

    if os.environ.get(personal.KEY_VARIABLE):
        yield "ok", f"set by {personal.KEY_VARIABLE}"
    else:
        yield (
            "info",
            "the public practice key",
            f"Good for practice. For a course of your own set {personal.KEY_VARIABLE}, the same for all.",
        )


def _fonts() -> Iterator[tuple[str, ...]]:
    from matplotlib import font_manager, rcParams

    wanted = rcParams["font.sans-serif"][0]
    try:
        font_manager.findfont(wanted, fallback_to_default=False)
    except ValueError:
        yield "info", f"{wanted} is missing", "Figures use another font. Reinstall matplotlib to get it back."
    else:
        yield "ok", f"figures use {wanted}"


def _browser() -> Iterator[tuple[str, ...]]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    path = next((found for name in names if (found := shutil.which(name))), None) or _playwright_browser()
    if path:
        yield "ok", path
    else:
        yield (
            "info",
            "no Chromium: browser tests are left out",
            "Only developers need it: playwright install chromium",
        )


def _playwright_browser() -> str | None:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    try:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Error:
        return None
    return path if path and Path(path).exists() else None
