import sqlite3
from contextlib import closing

import pytest
from PIL import Image

from allxai_desktop.cli import main
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.png", "sub/a.png")):
        Image.new("RGB", (3, 2), (number, 0, 0)).save(tmp_path / "in" / name)
    return tmp_path / "in"


def run(capsys, *arguments):
    code = main(["study", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.strip()


def test_import(source, tmp_path, capsys):
    assert run(capsys, "import", tmp_path / "study", "--images", source) == (
        0,
        [
            "sub/a.png is called a_2.png here, for the study has another image of its name.",
            "Images taken in: 2. Already there: 0.",
        ],
        "",
    )


def test_verify(source, capsys):
    assert run(capsys, "verify", source)[1] == [
        "There is no audit trail yet: nothing was submitted or edited in this study."
    ]
    progress = Progress(StudyStore.open(source))
    progress.edited(Person("A07"), "a.png", None, None)
    progress.edited(Person("A07"), "a.png", None, "ff")
    code, lines, _error = run(capsys, "verify", source)
    assert code == 0
    assert lines[:2] == [
        "Note: a.png was painted on since its last entry.",
        "The audit trail holds: 1 entries, and 0 masks as it tells.",
    ]
    assert lines[2].startswith("Last hash: ")


def test_a_file_of_a_study_is_no_study_to_verify(source, capsys):
    assert run(capsys, "verify", source / "a.png") == (2, [], "a.png is no study: give its folder.")


def test_verify_ends_with_an_error_where_the_trail_is_broken(source, capsys):
    Progress(StudyStore.open(source)).edited(Person("A07"), "a.png", None, "ff")
    with closing(sqlite3.connect(source / "study.sqlite")) as db:
        db.execute("DROP TRIGGER trail_update")
        db.execute("UPDATE trail SET person = 'B'")
        db.commit()
    code, _lines, error = run(capsys, "verify", source)
    assert code == 2
    assert error.startswith("Entry 1 (painted, a.png, B, ")


def test_a_final_mask_that_is_gone_is_told(source, capsys):
    (source / "final").mkdir()
    Progress(StudyStore.open(source / "final")).submit(Person("R01"), "a.png", "ff")
    code, lines, error = run(capsys, "verify", source)
    assert (code, lines[1:], error) == (2, ["Final masks:"], "The mask a.npz is missing.")


def test_verify_knows_a_hash_that_was_noted(source, capsys):
    progress = Progress(StudyStore.open(source))
    for mask in ("ff", "ee"):
        progress.edited(Person("A07"), "a.png", None, mask)
    noted = progress.trail()[0].hash
    assert run(capsys, "verify", source, "--noted", noted)[0] == 0


def test_verify_tells_that_a_trail_was_written_anew(source, capsys):
    Progress(StudyStore.open(source)).edited(Person("A07"), "a.png", None, "ff")
    code, _lines, error = run(capsys, "verify", source, "--noted", "0123")
    assert code == 2
    assert "No entry has the hash 0123: entries were taken away or written anew since it was noted." in error
