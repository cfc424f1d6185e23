import csv
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from allxai_desktop.study import audit
from allxai_desktop.study.audit import append, broken, cut_off, entries, mask_sha256, write_csv


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:")
    connection.executescript(audit.SQL)
    for number in range(3):
        append(
            connection, person="A07", role="annotator", item=f"{number}.png", action="edit", mask_after="aa"
        )
    yield connection
    connection.close()


def test_each_entry_holds_the_hash_of_the_one_before(db):
    first, second, third = entries(db)
    assert first.previous == ""
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert broken([first, second, third]) is None


def test_the_time_is_utc(db):
    assert entries(db)[0].time.endswith("+00:00")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trail SET person = 'B' WHERE seq = 2",
        "DELETE FROM trail WHERE seq = 3",
        "INSERT OR REPLACE INTO trail SELECT seq, time, 'B', role, item, action, detail, mask_before, mask_after, "
        "previous, hash FROM trail WHERE seq = 2",
    ],
)
def test_the_trail_is_only_added_to(db, sql):
    before = entries(db)
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        db.execute(sql)
    assert entries(db) == before


@pytest.mark.parametrize("field", ["time", "person", "role", "item", "action", "detail", "mask_after"])
def test_a_changed_entry_is_named(db, field):
    trail = entries(db)
    trail[1] = replace(trail[1], **{field: "other"})
    assert broken(trail).startswith("Entry 2 (")
    assert "was changed after it was written" in broken(trail)


def test_an_entry_written_anew_breaks_the_one_after_it(db):
    trail = entries(db)
    forged = replace(trail[1], person="B")
    trail[1] = replace(forged, hash=forged.digest())
    assert broken(trail).startswith("Entry 3 (painted, 2.png, A07, ")


def test_a_missing_entry_is_named(db):
    trail = entries(db)
    assert broken([trail[0], trail[2]]) == "Entry 2 is missing: entry 3 follows in its place."


def test_entries_taken_from_the_end_are_counted(db):
    assert cut_off(db) == 0
    db.execute("DROP TRIGGER trail_delete")
    db.execute("DELETE FROM trail WHERE seq = 3")
    assert broken(entries(db)) is None
    assert cut_off(db) == 1


def test_the_hash_of_a_mask_is_of_its_size_and_codes():
    # printf '2x1:\x01\x02' | sha256sum
    expected = "7c47bebdb22fdbc2e2a6281bddf75950f8bc4960b530e22129fb247b7fef8d23"
    assert mask_sha256(np.array([[1], [2]], np.uint8)) == expected
    assert mask_sha256(np.array([[1, 2]], np.uint8)) != expected
    assert mask_sha256(np.zeros((2, 2), np.uint8)) is None


def test_the_trail_is_written_as_a_table(db, tmp_path):
    append(db, person="R01", role="reviewer", item="0.png", action="return", detail='=1+1, "ñ"\nline')
    write_csv(tmp_path / "trail.csv", entries(db))
    with (tmp_path / "trail.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["item"] for row in rows] == ["0.png", "1.png", "2.png", "0.png"]
    assert rows[0]["mask_before"] == ""
    # Not a formula for a spreadsheet to run.
    assert rows[3]["detail"] == '\'=1+1, "ñ"\nline'
