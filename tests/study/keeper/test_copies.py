"""Masks beside the one that somebody else holds, also after crashes, through real workspaces."""

import shutil
from unittest.mock import Mock

import numpy as np
import pytest
from keeper_desk import LOST, crash, damage, masks

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.study import journal, keeper


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
