"""The build of the book stops at what a reader must not see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml

from cocreation.authoring import build
from cocreation.authoring.build import book_notebooks, build_book, fingerprint
from cocreation.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_markdown_cell("# A notebook"), *map(nbformat.v4.new_code_cell, sources)]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    """A book of two pages under the course's own configuration."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config.pop("bibtex_bibfiles")
    for key in [key for key in config["sphinx"]["config"] if key.startswith("bibtex_")]:
        config["sphinx"]["config"].pop(key)
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config))
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: page\n")
    (tmp_path / "index.md").write_text("# Start\n\nA word.\n")
    nbformat.write(notebook("print(6 * 7)"), tmp_path / "page.ipynb")
    return tmp_path


def test_a_book_without_fault_is_built_and_a_second_build_runs_nothing(small_book):
    ran: list[str] = []
    for _ in range(2):
        html = build_book(small_book, progress=lambda done, total, name: ran.append(name))
    assert "42" in (html / "page.html").read_text()
    assert ran == ["page.ipynb"]


def test_a_failing_cell_fails_the_build_and_is_named(small_book):
    nbformat.write(notebook("1 / 0"), small_book / "page.ipynb")
    with pytest.raises(CourseError, match=r"page\.ipynb.*(?s:.)*ZeroDivisionError"):
        build_book(small_book)


@pytest.mark.slow
def test_a_cell_that_fails_only_inside_jupyter_book_fails_it_too(small_book):
    """The plain command an instructor may know stops as well."""
    nbformat.write(notebook("1 / 0"), small_book / "page.ipynb")
    run = subprocess.run(
        [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "-W", str(small_book)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "page" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("# Start\n\nSee [nowhere](nowhere.md).\n", "nowhere"),
        ("# Start\n\n```{nodirective}\n```\n", "nodirective"),
    ],
)
def test_a_warning_fails_this_build_and_the_next_and_is_told_with_its_place(small_book, page, told):
    (small_book / "index.md").write_text(page)
    for _ in range(2):
        with pytest.raises(CourseError, match=rf"^The book has warnings.*\nindex\.md:3: .*{told}") as caught:
            build_book(small_book)
        assert "\x1b" not in str(caught.value)
    (small_book / "index.md").write_text("# Start\n")
    build_book(small_book)


def test_what_an_interrupted_build_had_warned_of_is_told_again(small_book, monkeypatch):
    import jupyter_book.sphinx

    (small_book / "index.md").write_text("# Start\n\n```{nodirective}\n```\n")

    def interrupted(*words, **options):
        monkeypatch.undo()
        jupyter_book.sphinx.build_sphinx(*words, **options)
        return KeyboardInterrupt()

    monkeypatch.setattr(jupyter_book.sphinx, "build_sphinx", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_book(small_book)
    with pytest.raises(CourseError, match="nodirective"):
        build_book(small_book)


def test_words_on_standard_error_fail_the_build(small_book):
    nbformat.write(notebook("import sys; print('careful', file=sys.stderr)"), small_book / "page.ipynb")
    with pytest.raises(CourseError, match=r"page\.ipynb, cell 2: ERROR: stderr was found"):
        build_book(small_book)


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ("format: jb-book\nroot: index\n  parts: [", r"^_toc\.yml, line 3: this is not valid YAML"),
        ("format: jb-book\nroot: index\nchapters:\n  - fiel: page\n", "^_toc.yml is not as Jupyter Book wants it"),
        (
            "format: jb-book\nroot: index\nchapters:\n  - file: paeg\n",
            r"^_toc\.yml names paeg, .* Did you mean page\? Correct it\.$",
        ),
    ],
)
def test_a_mistake_in_the_table_of_contents_is_one_sentence_before_anything_runs(small_book, contents, told):
    (small_book / "_toc.yml").write_text(contents)
    with pytest.raises(CourseError, match=told):
        build_book(small_book)
    assert not (small_book / "_build").exists()


def test_a_cell_that_ends_its_kernel_is_named(small_book):
    nbformat.write(notebook("x = 1", "import os\nos._exit(3)"), small_book / "page.ipynb")
    with pytest.raises(CourseError, match=r"page\.ipynb failed(?s:.)*Cell 3 ended the kernel\.\nimport os\nos\._exit"):
        build_book(small_book)


def test_a_folder_without_a_book_is_told(tmp_path):
    with pytest.raises(CourseError, match=r"_config\.yml is missing"):
        build_book(tmp_path)


def test_data_source_and_logs_belong_to_what_the_cache_knows(small_book):
    before = fingerprint(small_book)
    for name in ("datasets/a.csv", "src/cocreation/steps/a.py", "notebooks/decisions/a.csv", "requirements.lock"):
        path = small_book / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")
        after = fingerprint(small_book)
        assert after != before, name
        before = after
    (small_book / "index.md").write_text("# Other words\n")
    assert fingerprint(small_book) == before


def test_a_changed_decision_log_runs_the_notebooks_that_read_it_again(small_book):
    log = "from pathlib import Path\nlog = Path('notebooks/decisions/a.csv')\n"
    (small_book / "notebooks" / "decisions").mkdir(parents=True)
    nbformat.write(notebook(log + "_ = log.write_text('kept: 21')"), small_book / "page.ipynb")
    nbformat.write(notebook(log + "print(log.read_text() if log.exists() else 'no log')"), small_book / "other.ipynb")
    (small_book / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: other\n  - file: page\n")
    html = build_book(small_book, jobs=1)
    assert "kept: 21" in (html / "other.html").read_text()


def test_the_books_notebooks_are_those_of_its_table_of_contents():
    names = [path.relative_to(ROOT).as_posix() for path in book_notebooks(ROOT)]
    assert names[0] == "notebooks/conceptualize.ipynb"
    assert "notebooks/report.ipynb" in names
    assert not [name for name in names if name.startswith("exercises")]


@pytest.mark.slow
def test_another_folder_time_zone_language_and_hash_seed_give_the_same_bytes(small_book, tmp_path):
    """All but .buildinfo, Sphinx's note to itself, in which the notebook cache's folder is hashed."""
    script = (
        "import sys, pathlib; from cocreation.authoring.build import build_book\n"
        "build_book(*map(pathlib.Path, sys.argv[1:]))"
    )
    strange = {"LANG": "tr_TR", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"}
    trees = []
    for name in ("here", "Ünï code"):
        root, out = tmp_path / name / "book", tmp_path / name / "built"
        root.mkdir(parents=True)
        for path in small_book.glob("*.*"):
            (root / path.name).write_bytes(path.read_bytes())
        if name == "here":
            build_book(root, out)
        else:
            subprocess.run([sys.executable, "-c", script, str(root), str(out)], check=True, env=os.environ | strange)
        html = out / "html"
        files = [path for path in html.rglob("*") if path.is_file() and path.name != ".buildinfo"]
        trees.append({path.relative_to(html).as_posix(): path.read_bytes() for path in files})
    assert len(trees[0]) > 20
    assert trees[0] == trees[1]


def wait_until(holds, what: str) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail(f"waited two minutes until {what}")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def long_book(small_book: Path) -> Path:
    """Six notebooks, each of which says which process runs it and then computes for an hour."""
    (small_book / "datasets").mkdir()
    pages = "".join(f"  - file: long{number}\n" for number in range(6))
    (small_book / "_toc.yml").write_text(f"format: jb-book\nroot: index\nchapters:\n{pages}")
    for number in range(6):
        told = f"import os\nopen('half{number}', 'w').write(str(os.getpid()))\nos.rename('half{number}', 'ran{number}')"
        nbformat.write(notebook(told, "import time\ntime.sleep(3600)"), small_book / f"long{number}.ipynb")
    return small_book


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_build_that_is_stopped_ends_its_kernels_and_the_queue_and_keeps_the_old_book(long_book, ended_by, status):
    old = long_book / "_build" / "html" / "index.html"
    old.parent.mkdir(parents=True)
    old.write_text("the old book")
    run = subprocess.Popen(
        [sys.executable, "-m", "cocreation", "book"],
        env={**os.environ, "COCREATION_ROOT": str(long_book)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: (long_book / "ran0").exists() or run.poll() is not None, "a notebook runs")
        run.send_signal(ended_by)
        out, err = run.communicate(timeout=300)
    finally:
        run.kill()
    assert (run.returncode, out) == (status, "")
    assert err == "cocreation: Stopped before it was done; every file that was there is whole.\n"
    begun = [int(path.read_text()) for path in long_book.glob("ran*")]
    assert 1 <= len(begun) <= min(4, os.cpu_count() or 1)
    for pid in begun:
        wait_until(lambda pid=pid: is_gone(pid), f"the kernel {pid} is gone")
    assert old.read_text() == "the old book"


def test_the_old_book_stays_until_the_new_one_is_without_fault(small_book):
    html = build_book(small_book)
    before = (html / "index.html").read_text()
    (small_book / "index.md").write_text("# Other\n\n```{nodirective}\n```\n")
    with pytest.raises(CourseError, match="nodirective"):
        build_book(small_book)
    assert (html / "index.html").read_text() == before
    (small_book / "index.md").write_text("# Other\n")
    build_book(small_book)
    assert "Other" in (html / "index.html").read_text()


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_build_that_is_stopped_while_the_new_book_is_put_in_place_leaves_one(tmp_path, monkeypatch, renamed):
    for name, text in {"html": "old", ".pages": "new"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(text)
    rename, count = Path.rename, [0]

    def stopped(self, target):
        if count[0] == renamed:
            count[0] += 1
            raise KeyboardInterrupt
        count[0] += 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        build._publish(tmp_path)
    assert (tmp_path / "html" / "index.html").read_text() == "old"
    build._publish(tmp_path)
    assert (tmp_path / "html" / "index.html").read_text() == "new"
    assert not (tmp_path / ".previous").exists()


def test_a_book_between_two_names_is_taken_back(tmp_path):
    (tmp_path / ".previous").mkdir()
    build._take_back(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_a_second_build_says_who_builds_and_the_lock_ends_with_its_process(small_book):
    out = small_book / "_build"
    out.mkdir()
    script = (
        "import sys; from pathlib import Path; from cocreation.authoring import build\n"
        "with build._alone(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        (small_book / "datasets").mkdir()
        second = subprocess.run(
            [sys.executable, "-m", "cocreation", "book"],
            env={**os.environ, "COCREATION_ROOT": str(small_book)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        holder.kill()
        holder.communicate()
    assert second.returncode == 2
    assert second.stderr.startswith(
        f"cocreation: {out} is being built by another process (process {holder.pid}, since 2"
    )
    assert second.stderr.count("\n") == 1
    assert (out / ".builder.json").exists()  # it was killed
    with build._alone(out):
        assert f"process {os.getpid()}, since" in build._builder(out / ".builder.json")
    assert build._builder(out / ".builder.json") == ""
