"""Who holds an image, lets it go, loses it or takes it over, through real workspaces."""

import os
import shutil
from threading import Event

import numpy as np
import pytest
from keeper_desk import masks

from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.study import keeper, locks
from allxai_desktop.study.locks import PaintingSession


@pytest.fixture
def first(desk, folder):
    """Return somebody who has painted the first image and holds it."""
    found = desk("A07").open(folder)
    found.paint(0, code=1)
    found.saved()
    return found


def test_who_only_looks_holds_up_nobody(desk, folder):
    desk().open(folder)
    second = desk("B01").open(folder)
    assert second.workspace.holder is None
    assert not (folder / "masks").exists()


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


def test_taking_over_shows_what_was_saved_and_sends_the_first_to_a_copy(first, desk, folder):
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


def test_a_save_that_is_held_up_writes_over_nobody_who_painted_and_left_meanwhile(first, folder, monkeypatch):
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


def test_a_save_that_is_held_up_leaves_the_mask_to_who_took_it_over_meanwhile(desk, folder, monkeypatch):
    first, second = desk("A07").open(folder), desk("B01")
    first.paint(0, code=1)
    first.saved()
    mask = folder / "masks" / "cell_0.npz"
    before = mask.read_bytes()

    def once_it_is_on_disk(*_paths):
        monkeypatch.undo()
        locks.take_by_force(locks.lock_path(mask), second.workspace._me, "B01")

    monkeypatch.setattr(shutil, "copymode", once_it_is_on_disk)
    first.paint(5, code=3)
    first.saved()
    assert mask.read_bytes() == before
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[:2].tolist() == [[1, 0, 0, 0], [0, 3, 0, 0]]


def test_a_save_that_failed_since_somebody_painted_and_left_meanwhile_is_made_beside(
    first, folder, monkeypatch
):
    mask = folder / "masks" / "cell_0.npz"

    def put(path, _data, _last_look):
        monkeypatch.undo()
        path.with_suffix(".lock").unlink()
        save_mask(path, np.full((3, 4), 5, np.uint8), annotator="B01")
        raise MaskError("its temporary file is gone")

    monkeypatch.setattr(keeper, "put_mask", put)
    first.paint(5, code=3)
    first.saved()
    assert (load_mask(mask).codes == 5).all()
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[1, 1] == 3


def test_who_found_the_copy_taken_too_takes_over_the_mask_itself(first, desk, folder):
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


def test_a_file_that_changed_meanwhile_is_not_written_over(first, folder):
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8), annotator="S09")
    first.paint(5, code=3)
    first.saved()
    assert (load_mask(folder / "masks" / "cell_0.npz").codes == 5).all()
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[0, 0] == 1
    assert first.texts()[-1].startswith("S09 changed cell_0.npz")
    # The mask itself is free for others.
    assert masks(folder, "*.lock") == ["cell_0-2.lock"]


def test_leaving_an_image_lets_it_go_for_others(first, desk, folder):
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


def test_who_takes_an_image_over_and_paints_nothing_lets_it_go_too(first, desk, folder):
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.pump.until(lambda: second.workspace.holder is None)
    second.workspace.step(1)
    second.pump.until(lambda: second.workspace.index == 1)
    second.pump.until(lambda: masks(folder, "*.lock") == [])


def test_who_goes_on_before_an_image_that_was_taken_over_is_shown_stays_there_and_lets_it_go(
    first, desk, folder
):
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.workspace.show(1)
    second.pump.until(lambda: second.workspace.index == 1)
    second.pump.until(lambda: masks(folder, "*.lock") == [])
    assert second.workspace.index == 1


def test_who_ends_before_an_image_that_was_taken_over_is_shown_lets_it_go(first, desk, folder):
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.workspace._loader.submit(lambda: None).result()
    second.close()
    assert masks(folder, "*.lock") == []


def test_who_takes_an_image_over_holds_it_before_they_paint(first, desk, folder):
    second = desk("B01").open(folder)
    second.workspace.take_over()
    second.pump.until(lambda: second.workspace.holder is None)
    assert locks.held_by_me(folder / "masks" / "cell_0.lock", second.workspace._me)


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
