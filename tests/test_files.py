"""A file a person keeps is read with one sentence where it cannot be, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from cocreation import _files
from cocreation.errors import InputError

SYSTEM = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWriteWhole:
    def test_makes_the_file_and_its_folder_and_leaves_nothing_beside_it(self, tmp_path):
        _files.write_whole(tmp_path / "a" / "b.csv", b"1\n")
        assert (tmp_path / "a" / "b.csv").read_bytes() == b"1\n"
        assert names(tmp_path / "a") == ["b.csv"]

    @pytest.mark.parametrize("place", ["fsync", "replace"])
    @pytest.mark.parametrize("end", [KeyboardInterrupt, MemoryError])
    def test_whatever_ends_it_the_old_file_is_intact(self, tmp_path, monkeypatch, place, end):
        def ended(*_):
            raise end

        path = tmp_path / "a.csv"
        path.write_bytes(b"old")
        monkeypatch.setattr(*((os, "fsync") if place == "fsync" else (Path, "replace")), ended)
        with pytest.raises(end):
            _files.write_whole(path, b"new and longer")
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["a.csv"]

    def test_a_full_disk_is_one_sentence_and_the_old_file_is_intact(self, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        path = tmp_path / "a.csv"
        path.write_bytes(b"old")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"Cannot write to .*a\.csv: No space left on device\. Make room there"):
            _files.write_whole(path, b"new")
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["a.csv"]

    def test_a_missing_folder_is_one_sentence_where_it_is_not_to_be_made(self, tmp_path):
        with pytest.raises(InputError, match=r"Make the folder .*no first\.$"):
            _files.write_whole(tmp_path / "no" / "a.docx", b"1", parents=False)
        assert names(tmp_path) == []

    def test_a_folder_or_a_file_in_the_way_is_one_sentence(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="it is no ordinary file"):
            _files.write_whole(tmp_path, b"1")
        with pytest.raises(InputError, match=r"Cannot write to .*Choose a folder that you may write to"):
            _files.write_whole(tmp_path / "file" / "a.csv", b"1")

    @SYSTEM
    def test_permissions_are_as_usual(self, tmp_path):
        before = os.umask(0o027)
        try:
            _files.write_whole(tmp_path / "new", b"1")
            (tmp_path / "mine").write_bytes(b"1")
            (tmp_path / "mine").chmod(0o604)
            _files.write_whole(tmp_path / "mine", b"2")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
        assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o604

    @SYSTEM
    def test_what_may_not_be_written_to_is_not_replaced(self, tmp_path, monkeypatch):
        path = tmp_path / "a.csv"
        path.write_bytes(b"old")
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
        with pytest.raises(InputError, match="Permission denied"):
            _files.write_whole(path, b"new")
        assert path.read_bytes() == b"old"

    @SYSTEM
    def test_a_link_still_leads_where_it_led(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "a.csv")
        _files.write_whole(tmp_path / "link.csv", b"1")
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real" / "a.csv").read_bytes() == b"1"

    def test_the_longest_name_a_system_takes_can_be_written(self, tmp_path):
        _files.write_whole(tmp_path / ("a" * 255), b"1")
        assert names(tmp_path) == ["a" * 255]


class TestRead:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\xff\xfe", "is not UTF-8 text"),
            (b"not toml", "is not TOML"),
            (b"a = " + b"9" * 5000, "is not TOML"),
            (b"a = " + b"[" * 5000 + b"]" * 5000, "nests its values too deeply"),
        ],
    )
    def test_toml_that_is_none_is_one_sentence(self, tmp_path, content, said):
        (tmp_path / "a.toml").write_bytes(content)
        with pytest.raises(InputError, match=rf"a\.toml {said}.*Mend it\.$"):
            _files.read_toml(tmp_path / "a.toml", remedy="Mend it.")

    @pytest.mark.parametrize("content", [b"\xff", b"{", b"[" * 100_000, b"9" * 5000])
    def test_json_that_is_none_is_one_sentence(self, tmp_path, content):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.json is not .*Mend it\.$"):
            _files.read_json(tmp_path / "a.json", remedy="Mend it.")

    def test_a_missing_entry_is_told_when_it_is_asked_for_however_deep(self, tmp_path):
        (tmp_path / "a.toml").write_text("[[part]]\n[part.inner]\nx = 1\n")
        found = _files.read_toml(tmp_path / "a.toml", remedy="Mend it.")
        assert found == {"part": [{"inner": {"x": 1}}]}
        assert found.get("other") is None
        with pytest.raises(InputError, match=r"a\.toml lacks the entry 'y'\. Mend it\.$"):
            found["part"][0]["inner"]["y"]

    def test_what_is_no_file_is_told(self, tmp_path):
        with pytest.raises(InputError, match="There is no file"):
            _files.read_bytes(tmp_path / "a", remedy="")
        with pytest.raises(InputError, match="is a folder"):
            _files.read_bytes(tmp_path, remedy="")
        with pytest.raises(InputError, match="File name too long"):
            _files.read_bytes(tmp_path / ("a" * 300), remedy="")

    @SYSTEM
    def test_a_device_is_no_file(self):
        with pytest.raises(InputError, match="is a device"):
            _files.read_bytes(Path("/dev/zero"), remedy="")


class TestUserPath:
    def test_a_tilde_is_ones_own_home(self, monkeypatch, tmp_path):
        for name in ("HOME", "USERPROFILE"):
            monkeypatch.setenv(name, str(tmp_path))
        assert _files.user_path("~/a") == tmp_path / "a"
        assert _files.user_path("a~b") == Path("a~b")

    def test_a_user_who_is_not_there_is_told(self):
        with pytest.raises(InputError, match=r"no user 'nobodyhere' .* or '\./~nobodyhere' for a folder"):
            _files.user_path("~nobodyhere/x")
