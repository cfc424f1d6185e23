import csv
import itertools
import os

import pytest
import windows

from allxai_desktop import files
from allxai_desktop.files import WriteError, free_path, new_folder, read_at_most, write_table, write_whole


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    name = "x" * 250 + ".npz"
    with pytest.raises(WriteError, match=r"its name is too long: give its image a shorter one\.$"):
        write_whole(tmp_path / name, b"")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_too_long_for_windows_is_told_so(tmp_path, monkeypatch):
    def open_(path, _mode):
        raise FileNotFoundError(2, "The system cannot find the path specified", str(path))

    monkeypatch.setattr(files, "_WINDOWS", True)
    monkeypatch.setattr(files.Path, "open", open_)
    name = "x" * (259 - 14 + 1 - len(str(tmp_path)) - 1)
    with pytest.raises(WriteError, match="its name is too long"):
        write_whole(tmp_path / name, b"")
    with pytest.raises(WriteError, match="its folder is missing"):
        write_whole(tmp_path / name[1:], b"")


def test_a_file_is_read_up_to_a_size(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_at_most(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="more than 0 MB"):
        read_at_most(tmp_path / "a", 4)


def test_only_what_was_typed_may_be_written_over(tmp_path):
    stem = str(tmp_path / "cell")
    assert free_path(stem, ".png", f"{stem}.npz") == tmp_path / "cell.png"
    for name in ("cell.png", "cell-2.png"):
        (tmp_path / name).touch()
    assert free_path(stem, ".png", f"{stem}.npz") == tmp_path / "cell-3.png"
    assert free_path(stem, ".png", f"{stem}.png") == tmp_path / "cell.png"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1"])
def test_a_text_that_a_spreadsheet_would_run_gets_a_mark_in_front(tmp_path, name):
    write_table(tmp_path / "table.csv", [(name, -1)])
    with (tmp_path / "table.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["'" + name, "-1"]]


def test_a_text_that_is_none_stays_as_it_is(tmp_path):
    write_table(tmp_path / "table.csv", [("cell-1=a.png", "'n.png", "")])
    assert (tmp_path / "table.csv").read_text() == "cell-1=a.png,'n.png,\n"


def test_a_file_that_a_virus_scanner_holds_for_a_moment_is_replaced_then(tmp_path, monkeypatch):
    (tmp_path / "a.npz").write_bytes(b"before")
    refused = windows.refused_at_first(monkeypatch, "replace")
    write_whole(tmp_path / "a.npz", b"after")
    assert refused == ["replace", "replace"]
    assert (tmp_path / "a.npz").read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_file_that_another_program_keeps_open_is_told_so(tmp_path, monkeypatch):
    windows.refused_at_first(monkeypatch, "replace", times=10**6)
    monkeypatch.setattr(files, "monotonic", itertools.count().__next__)
    with pytest.raises(WriteError, match=r"^a\.csv was not saved because another program has it open, or it"):
        write_whole(tmp_path / "a.csv", b"after")
    assert list(tmp_path.iterdir()) == []


def test_where_open_files_are_replaced_a_refusal_is_said_at_once(tmp_path, monkeypatch):
    refused = windows.refused_at_first(monkeypatch, "replace")
    monkeypatch.setattr(files, "_WINDOWS", False)
    with pytest.raises(WriteError, match="may not be written"):
        write_whole(tmp_path / "a.npz", b"after")
    assert refused == ["replace"]


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_a_virus_scanner_looks_through_comes_to_its_place_then(tmp_path, monkeypatch, there):
    out = tmp_path / "out"
    if there:
        out.mkdir()
    refused = windows.refused_at_first(monkeypatch, "rename")
    with new_folder(out) as folder:
        (folder / "a.png").write_bytes(b"a")
    assert refused == ["rename", "rename"]
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/a.png"]


def test_nothing_stays_beside_a_file_that_may_not_be_written(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"before")
    path.chmod(0o400)
    windows.open_files_stay(monkeypatch)

    def refused(_source, target):
        raise PermissionError(13, "Access is denied", str(target))

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(WriteError, match="may not be written"):
        write_whole(path, b"after")
    assert [found.name for found in tmp_path.iterdir()] == ["a.npz"]


def test_nothing_stays_where_a_share_lets_nobody_change_rights(tmp_path, monkeypatch):
    def refused(path, *_mode, **_given):
        raise PermissionError(1, "Operation not permitted", str(path))

    for name in ("chmod", "replace"):
        monkeypatch.setattr(os, name, refused)
    with pytest.raises(WriteError, match="may not be written"):
        write_whole(tmp_path / "a.npz", b"after")
    assert list(tmp_path.iterdir()) == []


def test_what_is_looked_at_last_is_looked_at_again_after_each_wait(tmp_path, monkeypatch):
    windows.refused_at_first(monkeypatch, "replace")
    looks = []

    def look():
        looks.append(len(looks))
        if len(looks) == 2:
            raise KeyError

    with pytest.raises(KeyError):
        write_whole(tmp_path / "a.npz", b"after", look)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_only_a_file_manager_wrote_into_is_empty(tmp_path):
    (tmp_path / ".DS_Store").touch()
    with new_folder(tmp_path) as folder:
        (folder / "a.png").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "a.png"]
    with pytest.raises(WriteError, match="holds something already"), new_folder(tmp_path):
        pass
