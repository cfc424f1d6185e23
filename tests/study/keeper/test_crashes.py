"""What a crash left comes back, through real workspaces."""

import importlib.util
import itertools
import shutil
import sys

import numpy as np
import pytest
import windows
from keeper_desk import LOST, crash, damage, masks
from PIL import Image

from allxai_desktop import files
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study import journal, opening

# Journals are found in the order of their names.
IN_EITHER_ORDER = pytest.mark.parametrize("sessions", [("0" * 16, "f" * 16), ("f" * 16, "0" * 16)])


def test_what_a_proposal_set_before_a_crash_is_still_told_apart(desk, dead, folder):
    first = dead().open(folder)
    first.paint(0, 1, code=3)
    first.saved()
    first.workspace._autosaver.submit = lambda *args, **facts: None
    paint = first.workspace.paint
    paint.begin_stroke("proposal")
    paint.apply(np.array([2, 3, 4]), 5)
    paint.end_stroke()
    first.paint(3, code=5)
    again = desk().open(folder)
    assert np.flatnonzero(again.workspace.paint.person).tolist() == [0, 1, 3]
    again.saved()
    assert np.flatnonzero(load_mask(folder / "masks" / "cell_0.npz").accepted).tolist() == [2, 4]


def test_strokes_of_a_crash_stay_kept_where_they_cannot_be_saved_and_the_image_is_shown_again(
    desk, dead, folder
):
    (folder / "masks").write_text("in the way")
    crash(dead(), folder)
    again = desk().open(folder)
    again.pump.until(lambda: again.workspace.saved == "failed")
    for row in (1, 0):
        again.workspace.show(row)
        again.pump.until(lambda row=row: again.workspace.index == row)
    again.paint(7, code=2)
    assert again.workspace.kept
    assert not [text for text in again.texts() if "cannot be kept" in text]


def test_strokes_of_a_crash_are_brought_back_said_and_saved(desk, dead, folder):
    crash(dead(), folder)
    again = desk().open(folder)
    assert again.workspace.paint.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 0]]
    assert "The last 2 strokes" in again.texts()[-1]
    again.saved()
    assert np.array_equal(load_mask(folder / "masks" / "cell_0.npz").codes, again.workspace.paint.codes)
    again.close()
    assert masks(folder) == ["cell_0.npz"]


def test_only_what_the_file_lacks_is_brought_back(desk, dead, folder):
    first = dead()
    first.open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(first, folder)
    again = desk().open(folder)
    assert "The last 2 strokes" in again.texts()[-1]
    assert again.workspace.paint.codes[0].tolist() == [3, 3, 0, 0]


@pytest.mark.parametrize(("stroke", "codes"), [(0, [0, 0, 0, 0]), (1, [3, 3, 0, 0])])
def test_strokes_that_cannot_be_read_after_a_crash_are_said_to_be_lost(desk, dead, folder, stroke, codes):
    crash(dead(), folder)
    damage(folder, stroke)
    again = desk().open(folder)
    assert again.workspace.paint.codes[0].tolist() == codes
    assert again.texts()[-1] == LOST.format("cell_0.npz")


@IN_EITHER_ORDER
def test_a_crash_after_bringing_back_loses_nothing(desk, dead, folder, sessions):
    crash(dead(session=sessions[0]), folder)
    second = dead(session=sessions[1])
    second.workspace._autosaver.submit = lambda *args, **facts: None
    second.open(folder)
    second.paint(11, code=4)
    third = desk().open(folder)
    assert third.workspace.paint.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 4]]
    third.saved()
    third.close()
    assert masks(folder) == ["cell_0.npz"]


@IN_EITHER_ORDER
def test_of_two_crashes_the_one_with_more_strokes_is_brought_back_and_the_other_laid_over_it_in_a_second_mask(
    desk, dead, folder, sessions
):
    crash(dead(session=sessions[0]), folder)
    (journal_of_first,) = (folder / "masks").glob("*.journal")
    hidden = journal_of_first.rename(folder / "hidden")
    second = dead(session=sessions[1])
    crash(second, folder, code=4)
    second.paint(11, code=4)
    hidden.rename(journal_of_first)
    again = desk().open(folder)
    assert again.workspace.paint.codes.tolist() == [[4, 4, 0, 0], [0, 4, 0, 0], [0, 0, 0, 4]]
    second_mask = load_mask(folder / "masks" / "cell_0-2.npz").codes
    assert second_mask.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 4]]
    assert not journal_of_first.exists()


def test_strokes_on_a_mask_that_somebody_has_changed_since_are_laid_over_it_in_a_second_mask(
    desk, dead, folder
):
    crash(dead(), folder)
    (folder / "masks").mkdir(exist_ok=True)
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8))
    again = desk().open(folder)
    assert (again.workspace.paint.codes == 5).all()
    assert masks(folder, "*.npz") == ["cell_0-2.npz", "cell_0.npz"]
    assert masks(folder, "*.journal*") == []
    second_mask = load_mask(folder / "masks" / "cell_0-2.npz").codes
    assert second_mask.tolist() == [[3, 3, 5, 5], [5, 3, 5, 5], [5, 5, 5, 5]]
    assert "cell_0-2.npz is that mask with the strokes over it" in again.texts()[-1]


def test_of_many_journals_some_wait_for_the_next_opening(desk, dead, folder, monkeypatch):
    monkeypatch.setattr(opening, "_AT_ONCE", 1)
    crash(dead(), folder)
    (path,) = (folder / "masks").glob("*.journal")
    shutil.copy(path, path.with_name("cell_0.0123456789abcdef.journal"))
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8))
    for left in (1, 0):
        desk().open(folder).close()
        assert len(masks(folder, "*.journal")) == left
    assert masks(folder, "*.npz") == ["cell_0-2.npz", "cell_0-3.npz", "cell_0.npz"]


def test_strokes_that_the_changed_mask_has_make_no_second_one(desk, dead, folder):
    crash(dead(), folder)
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 3, np.uint8))
    desk().open(folder)
    assert masks(folder, "*.npz") == ["cell_0.npz"]
    assert masks(folder, "*.journal*") == []


def test_what_of_such_strokes_cannot_be_read_is_said(desk, dead, folder):
    crash(dead(), folder)
    damage(folder, 1)
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8))
    again = desk().open(folder)
    assert LOST.format("cell_0.npz") in again.texts()
    second_mask = load_mask(folder / "masks" / "cell_0-2.npz").codes
    assert second_mask.tolist() == [[3, 3, 5, 5], [5, 5, 5, 5], [5, 5, 5, 5]]


def test_strokes_of_another_image_are_set_aside(desk, dead, folder):
    crash(dead(), folder)
    Image.new("RGB", (4, 3), (9, 9, 9)).save(folder / "cell_0.png")
    again = desk().open(folder)
    (aside,) = (name for name in masks(folder) if "aside" in name)
    assert aside in again.texts()[-1]


def test_a_journal_that_is_none_is_set_aside(desk, folder):
    (folder / "masks").mkdir()
    (folder / "masks" / "cell_0.0123456789abcdef.journal").write_bytes(b"no journal")
    again = desk().open(folder)
    assert "set aside" in again.texts()[-1]
    assert (folder / "masks" / "cell_0.0123456789abcdef.journal-aside").read_bytes() == b"no journal"


def test_the_window_waits_but_a_moment_for_a_journal_that_stays_where_it_is(desk, folder, monkeypatch):
    (folder / "masks").mkdir()
    (folder / "masks" / "cell_0.0123456789abcdef.journal").write_bytes(b"no journal")
    refused = windows.refused_at_first(monkeypatch, "rename", times=10**6)
    # Each question takes a second.
    monkeypatch.setattr(files, "monotonic", itertools.count().__next__)
    desk().open(folder)
    assert refused == ["rename"]


def test_a_folder_that_was_moved_after_the_crash_brings_back_too(desk, dead, folder, tmp_path_factory):
    crash(dead(), folder)
    moved = tmp_path_factory.mktemp("elsewhere") / "study"
    shutil.copytree(folder, moved)
    assert desk().open(moved).workspace.paint.codes[1, 1] == 3


def test_who_paints_what_another_has_painted_and_left_meanwhile_loses_nothing_in_a_crash(desk, dead, folder):
    late = dead("A07").open(folder)
    first = desk("B01").open(folder)
    first.paint(0, code=1)
    first.saved()
    first.close()
    late.workspace._autosaver.submit = lambda *args, **facts: None
    late.paint(11, code=4)
    assert late.texts()[-1].startswith("B01 changed cell_0.npz or took it over after you opened it")
    again = desk("A07").open(folder)
    again.pump.until(lambda: (folder / "masks" / "cell_0-2.npz").exists())
    assert np.flatnonzero(load_mask(folder / "masks" / "cell_0.npz").codes).tolist() == [0]
    assert np.flatnonzero(load_mask(folder / "masks" / "cell_0-2.npz").codes).tolist() == [11]
    assert masks(folder, "*aside") == []


def test_of_two_who_open_what_a_crash_left_the_second_keeps_strokes_beside(desk, dead, folder):
    crash(dead("B01"), folder)
    first, second = desk("A07"), dead("C02")
    for one in (first, second):
        one.workspace.open(folder)
        one.workspace._loader.submit(lambda: None).result()
    first.pump.until(lambda: first.workspace.index == second.workspace.index == 0)
    for one in (first, second):
        one.saved()
    assert second.workspace.mask_path.name == "cell_0-2.npz"
    second.workspace._autosaver.submit = lambda *args, **facts: None
    second.paint(11, code=2)
    assert masks(folder, "*.journal")[0].startswith("cell_0-2.")
    first.close()
    assert not any("set aside" in text for text in desk("D03").open(folder).texts())
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[2, 3] == 2


def test_who_looked_on_does_not_write_over_what_a_crash_left_meanwhile(desk, dead, folder):
    first = desk("A07").open(folder)
    crash(dead("B01"), folder)
    first.paint(11, code=2)
    first.saved()
    assert first.workspace.mask_path.name == "cell_0-2.npz"
    first.close()
    again = desk("C02").open(folder)
    assert again.workspace.paint.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 0]]
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes.tolist()[2] == [0, 0, 0, 2]


def test_strokes_that_were_brought_back_and_saved_before_the_next_crash_are_not_set_aside(
    desk, dead, folder, monkeypatch
):
    crash(dead(), folder)
    with monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "cut", lambda *args: None)
        second = dead().open(folder)
        second.workspace.unsaved()
    second.workspace._autosaver.submit = lambda *args, **facts: None
    second.paint(11, code=2)
    assert len(masks(folder, "*.journal")) == 2
    again = desk().open(folder)
    again.saved()
    assert len(again.texts()) == 1
    assert again.texts()[0].startswith("The last stroke, of ")
    assert again.workspace.paint.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 2]]
    assert masks(folder, "*.journal*") == []


def test_what_a_crash_in_mid_save_left_is_swept(desk, folder):
    (folder / "masks").mkdir()
    for name in (".cell_0.npz.0123abcd.tmp", ".cell_1.npz.0123abcd.tmp", ".cell_0.npz.mine"):
        (folder / "masks" / name).write_bytes(b"half")
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    first.close()
    assert masks(folder) == [".cell_0.npz.mine", ".cell_1.npz.0123abcd.tmp", "cell_0.npz"]


def test_a_lock_of_a_program_that_ended_is_said_and_taken(desk, dead, folder):
    gone = dead("A07")
    gone.open(folder)
    gone.paint(0, code=1)
    gone.saved()
    again = desk("B01").open(folder)
    assert "A07 began to paint cell_0.npz" in again.texts()[-1]
    again.paint(1, code=2)
    again.saved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes[0].tolist() == [1, 2, 0, 0]


def test_who_only_looks_after_a_crash_of_their_own_is_told_once(desk, dead, folder):
    gone = dead("A07")
    gone.open(folder)
    gone.paint(0, code=1)
    gone.saved()
    for name, told in (("B01", True), ("A07", True), ("A07", False)):
        notices = desk(name).open(folder).texts()
        assert any("A07 began to paint cell_0.npz" in text for text in notices) == told


@pytest.mark.slow
def test_no_finished_stroke_is_missing_after_ten_kills(checkout, tmp_path):
    path = checkout / "tests" / "benchmarks" / "bench_kill.py"
    spec = importlib.util.spec_from_file_location("bench_kill", path)
    bench = importlib.util.module_from_spec(spec)
    sys.modules["bench_kill"] = bench
    spec.loader.exec_module(bench)
    found = bench.make_study(tmp_path)
    finished = 0
    for kill in range(10):
        outcome = bench.kill_once(tmp_path, kill, found, 0.15 * kill)
        assert (outcome.missing, outcome.unreadable) == (0, 0)
        found, finished = outcome.masks, finished + outcome.finished
    assert finished > 0
