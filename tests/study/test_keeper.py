"""Crashes, two people on one image, and folders that cannot be written, through real workspaces."""

import importlib.util
import os
import shutil
import sys
from dataclasses import replace
from threading import Event
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.study import journal, journal_file, keeper, locks, opening
from allxai_desktop.study import workspace as workspace_module
from allxai_desktop.study.locks import PaintingSession
from allxai_desktop.study.people import Person
from allxai_desktop.study.workspace import Workspace


class Desk:
    """One person's program, without a window."""

    def __init__(self, name, pump):
        self.pump, self.notices = pump, []
        self.session = Session(PaintModel(), dispatch=pump)
        self.workspace = Workspace(self.session, pump)
        self.workspace.person = Person(name)
        self.workspace.noticed.connect(self.notices.append)

    def open(self, path):
        shown = []
        self.workspace.item_shown.connect(shown.append)
        self.workspace.open(path)
        self.pump.until(lambda: shown)
        self.workspace.item_shown.disconnect(shown.append)
        return self

    def paint(self, *indices, code):
        self.workspace.paint.apply(np.array(indices), code)

    def saved(self):
        self.pump.until(lambda: self.workspace.saved == "saved")
        self.workspace.unsaved()
        self.pump.run()

    def texts(self):
        self.pump.run()
        return [notice.text for notice in self.notices]

    def close(self):
        if self.session is not None:
            self.workspace.close()
            self.session.close()
            self.session = None


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("own")
    monkeypatch.setattr(journal, "user_data_path", lambda *args, **options: folder)
    return folder / "journals"


@pytest.fixture
def desk(pump):
    made = []

    def make(name="A07"):
        made.append(Desk(name, pump))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def dead(monkeypatch, pump):
    """Return a call that makes a desk whose process will be taken for a dead one, with the id of its session."""

    def make(name="A07", session=None):
        with monkeypatch.context() as patch:
            if session is not None:
                patch.setattr(locks.secrets, "token_hex", lambda _bytes: session)
            new = PaintingSession.new()
        with monkeypatch.context() as patch:
            patch.setattr(
                workspace_module.PaintingSession, "new", lambda: replace(new, started=new.started - 9999)
            )
            return Desk(name, pump)

    return make


@pytest.fixture
def folder(tmp_path):
    for number in range(2):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(tmp_path / f"cell_{number}.png")
    return tmp_path


def crash(desk, folder, code=3):
    """Paint two strokes in a program that ends before it saves them."""
    desk.open(folder)
    desk.workspace._autosaver.submit = lambda *args, **facts: None
    desk.paint(0, 1, code=code)
    desk.paint(5, code=code)


def damage(folder, stroke):
    """Change a bit in the record of a stroke of the journal that a crash left."""
    (path,) = (folder / "masks").glob("*.journal")
    data = bytearray(path.read_bytes())
    ends = [end for kind, _payload, end in journal_file._records(bytes(data)) if kind == b"S"]
    # The checksum of the record.
    data[ends[stroke] - 1] ^= 255
    path.write_bytes(data)


LOST = (
    "Strokes on {} are lost, for their record is damaged; those before them are kept: look at the mask again."
)


def masks(folder, pattern="*"):
    return sorted(path.name for path in (folder / "masks").glob(pattern))


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


# Journals are found in the order of their names.
IN_EITHER_ORDER = pytest.mark.parametrize("sessions", [("0" * 16, "f" * 16), ("f" * 16, "0" * 16)])


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


def test_a_folder_that_was_moved_after_the_crash_brings_back_too(desk, dead, folder, tmp_path_factory):
    crash(dead(), folder)
    moved = tmp_path_factory.mktemp("elsewhere") / "study"
    shutil.copytree(folder, moved)
    assert desk().open(moved).workspace.paint.codes[1, 1] == 3


def test_who_only_looks_holds_up_nobody(desk, folder):
    desk().open(folder)
    second = desk("B01").open(folder)
    assert second.workspace.holder is None
    assert not (folder / "masks").exists()


def test_the_second_sees_who_paints_and_goes_on_in_a_copy(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = desk("B01").open(folder)
    assert second.workspace.holder.person == "A07"
    assert second.texts()[-1].startswith("A07 has been painting cell_0.png since ")
    assert second.workspace.paint.codes[0, 0] == 1
    second.paint(11, code=2)
    second.saved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes[2].tolist() == [0, 0, 0, 0]
    copy = load_mask(folder / "masks" / "cell_0-2.npz")
    assert (copy.codes[0, 0], copy.codes[2, 3]) == (1, 2)
    assert copy.meta["annotator"] == "B01"


def test_a_copy_never_takes_the_name_of_another_images_mask(desk, folder):
    shutil.copy(folder / "cell_0.png", folder / "cell_0-2.png")
    first, second = desk("A07").open(folder), desk("B01").open(folder)
    for one in (first, second):
        one.workspace.show(1)
        one.pump.until(lambda one=one: one.workspace.index == 1)
        one.paint(0, code=1)
        one.saved()
    assert second.workspace.item.image_path.name == "cell_0.png"
    assert second.workspace.mask_path.name == "cell_0-3.npz"


def test_a_copy_is_found_again_and_pointed_out_when_the_first_has_gone(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = desk("B01").open(folder)
    second.paint(11, code=2)
    second.saved()
    second.workspace.step(1)
    second.pump.until(lambda: second.workspace.index == 1)
    second.workspace.step(-1)
    second.pump.until(lambda: second.workspace.index == 0)
    assert second.workspace.mask_path.name == "cell_0-2.npz"
    assert second.workspace.paint.codes[2, 3] == 2
    second.close()
    first.close()
    third = desk("C02").open(folder)
    assert third.workspace.mask_path.name == "cell_0.npz"
    assert third.texts() == ["cell_0-2.npz is a second mask of this image, painted by B01: compare the two."]


def test_a_mask_that_does_not_say_whose_it_is_and_a_second_one_are_said(desk, folder):
    for name in ("cell_0.npz", "cell_0-2.npz"):
        save_mask(folder / "masks" / name, np.ones((3, 4), np.uint8))
    read = read_image(folder / "cell_0.png")
    save_mask(folder / "masks" / "cell_0-3.npz", np.ones((3, 4), np.uint8), image=read)
    assert desk().open(folder).texts() == [
        "cell_0.npz does not say which image it belongs to: it was accepted for cell_0.png by its size.",
        "cell_0-3.npz is a second mask of this image: compare the two.",
    ]


def test_the_mask_of_an_image_that_was_renamed_is_named(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    first.close()
    (folder / "cell_0.png").rename(folder / "anew.png")
    (folder / "masks" / "broken.npz").write_bytes(b"no mask")
    again = desk().open(folder)
    assert again.workspace.image.name == "anew.png"
    assert again.texts() == [
        "cell_0.npz was painted on this image, which had another name then: call it anew.npz, and open the study again."
    ]
    again.close()
    (folder / "masks" / "cell_0.npz").rename(folder / "masks" / "anew.npz")
    third = desk().open(folder)
    assert third.texts() == []
    assert third.workspace.paint.codes[0, 0] == 1


def test_a_copy_without_the_first_mask_is_not_said_to_be_of_an_image_that_was_renamed(desk, folder):
    first, second = desk("A07").open(folder), desk("B01")
    first.paint(0, code=1)
    second.open(folder).paint(11, code=2)
    second.saved()
    second.close()
    first.close()
    (folder / "masks" / "cell_0.npz").unlink()
    third = desk("C02").open(folder)
    assert third.workspace.mask_path.name == "cell_0.npz"
    assert third.texts() == ["cell_0-2.npz is a second mask of this image, painted by B01: compare the two."]


def test_of_two_that_look_the_first_to_paint_has_it(desk, folder):
    first, second = desk("A07").open(folder), desk("B01").open(folder)
    first.paint(0, code=1)
    second.paint(11, code=2)
    first.saved()
    second.saved()
    assert second.workspace.mask_path.name == "cell_0-2.npz"
    assert "A07 has been painting cell_0.png" in second.texts()[-1]
    assert load_mask(folder / "masks" / "cell_0.npz").codes[2, 3] == 0
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[2, 3] == 2


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


def test_a_copy_that_crashes_before_its_file_is_there_is_brought_back(desk, dead, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = dead("B01")
    crash(second, folder)
    assert second.workspace.mask_path.name == "cell_0-2.npz"
    again = desk("B01").open(folder)
    assert again.workspace.paint.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 0]]


def test_a_copy_that_crashed_before_its_file_is_there_is_saved_when_the_first_has_gone(desk, dead, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(dead("B01"), folder)
    first.close()
    again = desk("C02").open(folder)
    assert again.workspace.paint.codes.tolist()[0] == [1, 0, 0, 0]
    assert again.texts()[-1].startswith("The program ended before it saved cell_0-2.npz")
    assert load_mask(folder / "masks" / "cell_0-2.npz", again.workspace.image).codes[1, 1] == 3
    again.close()
    assert [name for name in masks(folder) if name.endswith(".journal")] == []


@pytest.fixture
def crashed_copy(desk, dead, folder):
    """A mask that A07 let go, and a copy of it by B01 that crashed before its file was there."""
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(dead("B01"), folder)
    first.close()
    return folder / "masks" / "cell_0-2.npz"


def test_a_copy_whose_journal_is_damaged_is_brought_back_up_to_there_and_said(desk, folder, crashed_copy):
    damage(folder, 1)
    again = desk("C02").open(folder)
    brought_back = (
        "The program ended before it saved cell_0-2.npz, a second mask of cell_0.png: it was brought back."
    )
    assert again.texts() == [LOST.format("cell_0-2.npz"), brought_back]
    assert load_mask(crashed_copy, again.workspace.image).codes.tolist()[:2] == [[3, 3, 0, 0], [0, 0, 0, 0]]


def test_a_copy_of_which_no_stroke_can_be_read_is_said(desk, folder, crashed_copy):
    damage(folder, 0)
    brought_back, *rest = reversed(desk("C02").open(folder).texts())
    assert rest == [LOST.format("cell_0-2.npz")]
    # What its strokes started from is all that is left of it.
    assert brought_back.startswith("The program ended before it saved cell_0-2.npz")
    assert load_mask(crashed_copy).codes.tolist()[0] == [1, 0, 0, 0]


def test_a_journal_of_a_copy_that_is_none_is_set_aside(desk, folder, crashed_copy):
    (path,) = (folder / "masks").glob("*.journal")
    path.write_bytes(b"no journal")
    text = "Strokes beside cell_0-2.npz are of another image, or cannot be read: they were set aside as {}."
    assert desk("C02").open(folder).texts() == [text.format(f"{path.stem}.journal-aside")]


def test_a_copy_that_was_brought_back_is_its_painters(desk, folder, crashed_copy):
    desk("C02").open(folder)
    assert load_mask(crashed_copy).meta["annotator"] == "B01"
    assert not crashed_copy.with_suffix(".lock").exists()


def test_strokes_that_the_file_of_a_copy_lacks_are_brought_back_when_the_first_has_gone(desk, dead, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = dead("B01").open(folder)
    second.paint(11, code=4)
    second.saved()
    crash(second, folder)
    first.close()
    again = desk("C02").open(folder)
    assert again.texts()[-1].startswith("The program ended before it saved cell_0-2.npz")
    copy = load_mask(folder / "masks" / "cell_0-2.npz", again.workspace.image)
    assert copy.codes.tolist() == [[3, 3, 0, 0], [0, 3, 0, 0], [0, 0, 0, 4]]
    assert copy.meta["annotator"] == "B01"


def test_strokes_of_a_third_mask_are_brought_back_too(desk, dead, folder):
    first, second = desk("A07").open(folder), desk("B01").open(folder)
    for one in (first, second):
        one.paint(0, code=1)
        one.saved()
    crash(dead("C02"), folder)
    first.close()
    second.close()
    again = desk("D03").open(folder)
    assert again.texts() == [
        "cell_0-2.npz is a second mask of this image, painted by B01: compare the two.",
        "The program ended before it saved cell_0-3.npz, a second mask of cell_0.png: it was brought back.",
    ]
    assert load_mask(folder / "masks" / "cell_0-3.npz", again.workspace.image).meta["annotator"] == "C02"


def test_a_copy_that_this_session_still_saves_is_none_of_a_crash(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = desk("B01")
    crash(second, folder)
    first.close()
    second.open(folder)
    assert second.workspace.mask_path.name == "cell_0.npz"
    assert not any("The program ended" in text for text in second.texts())
    assert len(masks(folder, "cell_0-2.*.journal")) == 1
    assert masks(folder, "cell_0-2.lock")


def test_a_copy_beside_a_mask_that_is_a_copy_itself_is_brought_back(desk, dead, folder):
    (folder / "masks").mkdir()
    (folder / "masks" / "cell_0.npz").write_bytes(b"no mask")
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(dead("B01"), folder)
    first.close()
    again = desk("C02").open(folder)
    assert again.workspace.mask_path.name == "cell_0-2.npz"
    assert again.texts()[-1].startswith("The program ended before it saved cell_0-3.npz")
    assert load_mask(folder / "masks" / "cell_0-3.npz").codes[1, 1] == 3


def test_strokes_that_a_crash_left_for_a_copy_are_not_shown_to_who_begins_another(desk, dead, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(dead("B01"), folder)
    third = desk("C02").open(folder)
    assert third.workspace.mask_path.name == "cell_0-3.npz"
    assert third.workspace.paint.codes.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_who_goes_on_beside_a_mask_leaves_alone_what_a_crash_left_for_a_copy(desk, dead, folder):
    third = desk("C02").open(folder)
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    crash(dead("B01"), folder)
    third.paint(11, code=2)
    third.saved()
    assert third.workspace.mask_path.name == "cell_0-3.npz"
    first.close()
    third.close()
    desk("D03").open(folder)
    copy = load_mask(folder / "masks" / "cell_0-2.npz")
    assert (copy.codes[1, 1], copy.meta["annotator"]) == (3, "B01")


@pytest.fixture
def taken_over(desk, dead, folder):
    """Two at one image: B01, who painted it first, and A07, who took it over and painted on."""
    second = dead("B01").open(folder)
    second.paint(0, 1, code=1)
    second.saved()
    first = desk("A07").open(folder)
    first.paint(11, code=4)
    first.saved()
    return second, first


@pytest.fixture
def stepped_aside(taken_over, folder, monkeypatch):
    """A mask that A07 took over and holds, and the journal of a copy that B01 crashed in before it was saved once."""
    second, first = taken_over
    with monkeypatch.context() as patch:
        patch.setattr(keeper, "put_mask", Mock(side_effect=MaskError("the program ends")))
        second.paint(5, code=3)
        second.workspace.unsaved()
    assert masks(folder, "*.npz") == ["cell_0.npz"]
    return first


def test_a_mask_that_steps_aside_and_crashes_before_its_file_is_there_is_brought_back(
    desk, folder, stepped_aside
):
    again = desk("B01").open(folder)
    assert again.workspace.paint.codes.tolist() == [[1, 1, 0, 0], [0, 3, 0, 0], [0, 0, 0, 0]]
    assert any(text.startswith("What was painted until ") for text in again.texts())
    again.saved()
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[1, 1] == 3


def test_a_mask_that_stepped_aside_and_crashed_is_saved_when_the_first_has_gone(desk, folder, stepped_aside):
    stepped_aside.close()
    again = desk("C02").open(folder)
    assert again.texts()[-1].startswith("The program ended before it saved cell_0-2.npz")
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[:2].tolist() == [[1, 1, 0, 0], [0, 3, 0, 0]]


def test_a_mask_that_steps_aside_is_unsaved_until_its_file_is_there(taken_over, folder, monkeypatch):
    second, _first = taken_over
    with monkeypatch.context() as patch:
        patch.setattr(keeper, "put_mask", Mock(side_effect=MaskError("The disk is full.")))
        second.paint(5, code=3)
        second.workspace.unsaved()
        second.workspace.step(1)
        second.pump.until(lambda: second.workspace.index == 1)
        assert second.workspace.unsaved_names == ["cell_0.png"]
        assert masks(folder, "cell_0-2.lock")
    second.workspace.unsaved()
    assert second.workspace.unsaved_names == []


@pytest.mark.parametrize("later", [[], [6]])
def test_strokes_after_a_copy_came_to_the_disk_are_brought_back(desk, taken_over, folder, monkeypatch, later):
    second, _first = taken_over
    monkeypatch.setattr(journal.Journal, "cut", lambda *args: None)
    second.paint(5, code=3)
    second.workspace.unsaved()
    second.workspace._autosaver.submit = lambda *args, **facts: None
    for index in later:
        second.paint(index, code=3)
    again = desk("B01").open(folder)
    assert not any("set aside" in text for text in again.texts())
    assert again.workspace.paint.codes[1].tolist() == [0, 3, 3 if later else 0, 0]


def test_what_a_crash_in_mid_save_left_is_swept(desk, folder):
    (folder / "masks").mkdir()
    for name in (".cell_0.npz.0123abcd.tmp", ".cell_1.npz.0123abcd.tmp", ".cell_0.npz.mine"):
        (folder / "masks" / name).write_bytes(b"half")
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    first.close()
    assert masks(folder) == [".cell_0.npz.mine", ".cell_1.npz.0123abcd.tmp", "cell_0.npz"]


def test_a_save_of_who_had_the_mask_before_cannot_come_in_unseen(desk, folder, monkeypatch):
    mask_bytes, changed = keeper.mask_bytes, keeper.MaskKeeper._changed
    theirs, came_in = folder / "masks" / ".cell_0.npz.0123abcd.tmp", []

    def while_they_write(*arguments, **facts):
        theirs.write_bytes(b"theirs")
        return mask_bytes(*arguments, **facts)

    def as_they_finish(self):
        found = changed(self)
        if theirs.exists():
            came_in.append(theirs.replace(self.path))
        return found

    monkeypatch.setattr(keeper, "mask_bytes", while_they_write)
    monkeypatch.setattr(keeper.MaskKeeper, "_changed", as_they_finish)
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    assert came_in == []


def test_taking_over_shows_what_was_saved_and_sends_the_first_to_a_copy(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.pump.until(lambda: second.workspace.holder is None)
    second.paint(11, code=2)
    second.saved()
    first.paint(5, code=3)
    first.saved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes.tolist()[2] == [0, 0, 0, 2]
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[1, 1] == 3
    assert first.texts()[-1].startswith("B01 changed cell_0.npz or took it over")
    assert first.workspace.mask_path.name == "cell_0-2.npz"


def test_a_copy_of_an_image_that_is_opened_alone_takes_the_place_of_no_other_mask(desk, folder):
    (folder / "cell_1.png").rename(folder / "cell_0-2.png")
    first = desk("A07").open(folder / "cell_0.png")
    first.paint(0, code=1)
    second = desk("B01").open(folder / "cell_0.png")
    assert second.workspace.mask_path.name == "cell_0-3.npz"


def test_the_mask_of_another_image_with_the_same_pixels_is_not_said_to_be_of_one_opened_alone(desk, folder):
    shutil.copy(folder / "cell_0.png", folder / "cell_1.png")
    image = read_image(folder / "cell_1.png")
    save_mask(folder / "masks" / "cell_1.npz", np.ones((3, 4), np.uint8), image=image)
    assert desk("A07").open(folder / "cell_0.png").texts() == []


@pytest.mark.parametrize("cleared", [True, False])
def test_a_mask_that_is_taken_over_as_it_is_written_is_saved_beside(desk, folder, monkeypatch, cleared):
    first, second = desk("A07").open(folder), desk("B01")
    put_mask = keeper.put_mask

    def put(path, data, last_look):
        if path.name == "cell_0.npz":
            locks.take_by_force(locks.lock_path(path), second.workspace._me, "B01")
            if cleared:
                raise MaskError("its temporary file is gone")
        put_mask(path, data, last_look)

    monkeypatch.setattr(keeper, "put_mask", put)
    first.paint(0, code=1)
    first.saved()
    (text,) = first.texts()
    assert text.startswith("B01 changed cell_0.npz or took it over")
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[0, 0] == 1


def test_a_save_that_is_held_up_writes_over_nobody_who_painted_and_left_meanwhile(desk, folder, monkeypatch):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    mask, others = folder / "masks" / "cell_0.npz", [np.full((3, 4), 5, np.uint8)]

    def once_it_is_on_disk(*_paths):
        while others:
            mask.with_suffix(".lock").unlink()
            save_mask(mask, others.pop(), annotator="B01")

    monkeypatch.setattr(shutil, "copymode", once_it_is_on_disk)
    first.paint(5, code=3)
    first.saved()
    assert (load_mask(mask).codes == 5).all()
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[:2].tolist() == [[1, 0, 0, 0], [0, 3, 0, 0]]
    assert first.texts()[-1].startswith("B01 changed cell_0.npz or took it over")


def test_who_found_the_copy_taken_too_takes_over_the_mask_itself(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second, third = desk("B01").open(folder), desk("C02").open(folder)
    second.paint(1, code=2)
    third.paint(2, code=3)
    assert [one.workspace.mask_path.name for one in (second, third)] == ["cell_0-2.npz", "cell_0-3.npz"]
    third.saved()
    third.workspace.take_over()
    third.pump.until(lambda: third.workspace.holder is None)
    assert third.workspace.mask_path.name == "cell_0.npz"
    second.paint(3, code=2)
    assert second.workspace.mask_path.name == "cell_0-2.npz"


def test_a_file_that_changed_meanwhile_is_not_written_over(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8), annotator="S09")
    first.paint(5, code=3)
    first.saved()
    assert (load_mask(folder / "masks" / "cell_0.npz").codes == 5).all()
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[0, 0] == 1
    assert first.texts()[-1].startswith("S09 changed cell_0.npz")
    # The mask itself is free for others.
    assert masks(folder, "*.lock") == ["cell_0-2.lock"]


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


def test_leaving_an_image_lets_it_go_for_others(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    first.workspace.step(1)
    first.pump.until(lambda: first.workspace.index == 1)
    first.pump.until(lambda: masks(folder) == ["cell_0.npz"])
    assert desk("B01").open(folder).workspace.holder is None


def test_an_image_that_is_left_before_it_is_saved_is_let_go_once_it_is(desk, folder, monkeypatch):
    go_on, put = Event(), keeper.put_mask

    def late(*given):
        assert go_on.wait(20)
        put(*given)

    monkeypatch.setattr(keeper, "put_mask", late)
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.workspace.step(1)
    first.pump.until(lambda: first.workspace.index == 1)
    assert masks(folder, "*.lock") == ["cell_0.lock"]
    go_on.set()
    first.pump.until(lambda: masks(folder) == ["cell_0.npz"])


def test_who_takes_an_image_over_and_paints_nothing_lets_it_go_too(desk, folder):
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.pump.until(lambda: second.workspace.holder is None)
    second.workspace.step(1)
    second.pump.until(lambda: second.workspace.index == 1)
    second.pump.until(lambda: masks(folder, "*.lock") == [])


def test_the_lock_of_who_paints_is_kept_alive(desk, folder, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.01)
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    lock = folder / "masks" / "cell_0.lock"
    os.utime(lock, (0, 0))
    first.pump.until(lambda: lock.stat().st_mtime > 0)


def test_who_loses_an_image_in_mid_work_is_told(desk, folder, monkeypatch):
    lost = []
    monkeypatch.setattr(locks.Lock, "keep", lambda _lock, on_lost: lost.append(on_lost))
    first = desk("A07").open(folder)
    first.paint(0, code=1)
    first.saved()
    taker = PaintingSession.new()
    locks.take_by_force(folder / "masks" / "cell_0.lock", taker, "B01")
    lost[0](locks.holder_of(folder / "masks" / "cell_0.lock", PaintingSession.new()))
    assert first.texts()[-1] == ("B01 took cell_0.npz over: what you paint from now on is saved as a copy.")


def test_where_no_mask_can_be_written_the_strokes_are_kept_and_said(desk, dead, folder, own_folder):
    (folder / "masks").write_text("in the way")
    first = dead("A07")
    first.open(folder)
    first.paint(0, code=1)
    first.pump.until(lambda: first.workspace.saved == "failed")
    assert "come back when the image is opened again" in first.texts()[-1]
    assert len(list(own_folder.iterdir())) == 1
    assert first.workspace.kept
    first.close()
    (folder / "masks").unlink()
    again = desk("A07").open(folder)
    again.saved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes[0, 0] == 1
    assert list(own_folder.iterdir()) == []


def test_strokes_that_no_place_takes_are_said_once(desk, folder, own_folder):
    (folder / "masks").write_text("in the way")
    own_folder.write_text("in the way")
    first = desk().open(folder)
    first.paint(0, code=1)
    first.paint(1, code=1)
    assert [text[:40] for text in first.texts() if "a crash would lose them" in text] == [
        "The strokes on cell_0.png cannot be kept"
    ]
    assert not first.workspace.kept


def test_strokes_that_wait_in_a_folder_that_stays_read_only_wait_on(desk, dead, folder, own_folder):
    (folder / "masks").write_text("in the way")
    for number in range(3):
        again = dead("A07")
        again.open(folder)
        if number == 0:
            again.paint(0, code=1)
        again.pump.until(lambda again=again: again.workspace.saved == "failed")
        again.close()
    (folder / "masks").unlink()
    last = desk("A07").open(folder)
    last.saved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes[0, 0] == 1
    assert list(own_folder.iterdir()) == []


def test_a_folder_that_is_moved_while_it_is_open_loses_nothing(desk, dead, folder, tmp_path_factory):
    first = dead("A07")
    first.open(folder)
    first.paint(0, code=1)
    first.saved()
    moved = tmp_path_factory.mktemp("elsewhere") / "study"
    os.rename(folder, moved)
    first.paint(5, code=3)
    first.pump.until(lambda: first.workspace.saved == "failed")
    assert "folder is missing" in first.texts()[-1]
    first.close()
    again = desk("A07").open(moved)
    assert again.workspace.paint.codes[:2].tolist() == [[1, 0, 0, 0], [0, 3, 0, 0]]
    moved.rename(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="a mounted folder is needed")
def test_a_full_disk_keeps_the_strokes_on_another(desk, dead, tmp_path, own_folder):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k tmpfs {disk} 2>/dev/null"):
        pytest.skip("only the administrator may mount a small disk")
    try:
        Image.new("RGB", (300, 300)).save(disk / "cell.png")
        first = dead("A07")
        first.open(disk)
        first.paint(0, code=1)
        first.saved()
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))
        for stroke in range(1, 60):
            first.paint(*range(stroke * 300, stroke * 300 + 200, 2), code=2)
        first.pump.until(lambda: first.workspace.saved == "failed")
        assert "the disk is full" in first.texts()[-1]
        first.close()
        (disk / "filler").unlink()
        again = desk("A07").open(disk)
        assert np.count_nonzero(again.workspace.paint.codes) == 59 * 100 + 1
        again.saved()
        assert np.count_nonzero(load_mask(disk / "masks" / "cell.npz").codes) == 59 * 100 + 1
        again.close()
    finally:
        os.system(f"umount {disk}")


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
