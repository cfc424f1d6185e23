import csv

import pytest

from allxai_desktop.files import WriteError, free_path, read_at_most, write_table, write_whole


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    name = "x" * 250 + ".npz"
    with pytest.raises(WriteError, match=r"its name is too long: give its image a shorter one\.$"):
        write_whole(tmp_path / name, b"")
    assert list(tmp_path.iterdir()) == []


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
