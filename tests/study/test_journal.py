"""What is in a journal at any moment, and what is made of it."""

import errno
import hashlib
import os
from pathlib import Path

import macos
import numpy as np
import pytest
import windows

from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.study import journal as module
from allxai_desktop.study.journal import Journal, journals_of
from allxai_desktop.study.journal_file import NO_FILE, Head, file_sha256, read_journal
from allxai_desktop.study.locks import PaintingSession

IMAGE, FIRST, SECOND = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "user_data_path", lambda *args, **options: tmp_path / "own")
    return tmp_path / "own" / "journals"


@pytest.fixture
def mask_path(tmp_path):
    return tmp_path / "masks" / "cell.npz"


def head(mask=NO_FILE):
    return Head(IMAGE, mask, 3, 4, PaintingSession.new())


def only(mask_path):
    (path,) = journals_of(mask_path, IMAGE)
    return read_journal(path)


def empty():
    return np.zeros((3, 4), np.uint8)


def test_the_mask_of_a_slide_comes_back_from_what_it_began_with_and_its_strokes(mask_path, strokes):
    begun = Tiles((3, 4))
    begun.flat[np.array([9, 10])] = 5
    journal = Journal(mask_path, head(), begun)
    for runs, mask in zip(*strokes, strict=True):
        journal.append(runs)
        painted, accepted = only(mask_path).painted(Tiles((3, 4)), None, 0)
        assert np.array_equal(painted[:, :], mask | begun[:, :])
        assert not accepted.any()


def test_each_stroke_is_in_the_file_when_append_returns(mask_path, strokes):
    journal = Journal(mask_path, head())
    assert journals_of(mask_path, IMAGE) == []
    for runs, mask in zip(*strokes, strict=True):
        journal.append(runs)
        recorded = only(mask_path)
        assert recorded.had_by(NO_FILE) == 0
        assert np.array_equal(recorded.painted(empty(), None, 0)[0], mask)


def test_a_mask_file_that_was_announced_needs_only_the_strokes_after_it(mask_path, strokes):
    journal = Journal(mask_path, head())
    for runs in strokes[0][:2]:
        journal.append(runs)
    journal.announce(FIRST, 2)
    journal.append(strokes[0][2])
    recorded = only(mask_path)
    assert recorded.had_by(FIRST) == 2
    assert recorded.had_by(NO_FILE) == 0
    assert recorded.had_by(SECOND) is None
    assert np.array_equal(recorded.painted(strokes[1][1], None, 2)[0], strokes[1][2])


def test_a_mask_file_is_announced_on_the_disk_itself(mask_path, strokes, monkeypatch):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((os.fstat(handle), only(mask_path).saved)))
    journal.announce(FIRST, 1)
    assert [(found.st_ino, saved) for found, saved in synced] == [
        (only(mask_path).path.stat().st_ino, [(FIRST, 1)])
    ]


def test_a_stroke_between_the_announcement_and_the_file_fits_both_files(mask_path, strokes):
    journal = Journal(mask_path, head(FIRST))
    journal.announce(SECOND, 0)
    journal.append(strokes[0][0])
    recorded = only(mask_path)
    assert (recorded.had_by(FIRST), recorded.had_by(SECOND)) == (0, 0)


def test_the_journal_goes_when_the_mask_file_has_all(mask_path, strokes):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    journal.announce(FIRST, 1)
    journal.append(strokes[0][1])
    journal.cut(FIRST, 1)
    assert len(only(mask_path).strokes) == 2
    journal.announce(SECOND, 2)
    journal.cut(SECOND, 2)
    assert journals_of(mask_path, IMAGE) == []
    journal.append(strokes[0][2])
    recorded = only(mask_path)
    assert recorded.had_by(SECOND) == 0
    assert np.array_equal(recorded.painted(strokes[1][1], None, 0)[0], strokes[1][2])


def test_a_folder_that_cannot_be_written_is_replaced_by_the_users_own(mask_path, strokes, own_folder):
    mask_path.parent.write_text("in the way")
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    (path,) = journals_of(mask_path, IMAGE)
    assert path.parent == own_folder
    assert np.array_equal(read_journal(path).painted(empty(), None, 0)[0], strokes[1][0])


def test_strokes_in_the_users_own_folder_are_of_one_mask_also_where_another_is_of_the_same_image(
    mask_path, strokes, tmp_path
):
    others = [tmp_path / "second" / "B01" / mask_path.name, tmp_path / "other" / "masks" / mask_path.name]
    session = PaintingSession.new()
    for path in (mask_path, others[1]):
        path.parent.parent.mkdir(exist_ok=True)
        path.parent.write_text("in the way")
        Journal(path, Head(IMAGE, NO_FILE, 3, 4, session)).append(strokes[0][0])
    assert journals_of(others[0], IMAGE) == []
    assert only(mask_path).path != only(others[1]).path


def test_strokes_in_the_users_own_folder_are_found_by_another_way_to_the_study(mask_path, strokes, tmp_path):
    mask_path.parent.write_text("in the way")
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    journal.append(strokes[0][1])
    try:
        (tmp_path / "link").symlink_to(tmp_path)
    except OSError:
        pytest.skip("this system makes no links")
    assert len(only(tmp_path / "link" / "masks" / mask_path.name).strokes) == 2


def test_strokes_in_the_users_own_folder_are_found_for_a_study_that_was_moved(mask_path, strokes, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "masks").write_text("in the way")
    Journal(study / "masks" / mask_path.name, head()).append(strokes[0][0])
    study.rename(tmp_path / "moved")
    assert len(journals_of(tmp_path / "moved" / "masks" / mask_path.name, IMAGE)) == 1


def test_a_disk_that_fills_up_in_mid_record_moves_all_strokes_to_the_users_own_folder(
    mask_path, strokes, own_folder, monkeypatch
):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    fill(monkeypatch, mask_path.parent)
    journal.append(strokes[0][1])
    recorded = only(mask_path)
    assert recorded.path.parent == own_folder
    assert len(recorded.strokes) == 2


def test_what_no_disk_took_is_written_with_the_next_stroke(mask_path, strokes, tmp_path, monkeypatch):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    with monkeypatch.context() as patch:
        fill(patch, tmp_path)
        with pytest.raises(OSError, match="No space"):
            journal.append(strokes[0][1])
        assert not journal.written
        assert len(only(mask_path).strokes) == 1
    journal.append(strokes[0][2])
    assert journal.written
    assert np.array_equal(only(mask_path).painted(empty(), None, 0)[0], strokes[1][2])


def test_on_a_full_disk_no_half_of_a_first_stroke_stays(mask_path, strokes, tmp_path, monkeypatch):
    mask_path.parent.mkdir()
    windows.open_files_stay(monkeypatch)
    fill(monkeypatch, tmp_path)
    with pytest.raises(OSError, match="No space"):
        Journal(mask_path, head()).append(strokes[0][0])
    assert list(mask_path.parent.iterdir()) == []


def test_a_journal_that_a_virus_scanner_holds_for_a_moment_is_gone_on_with(mask_path, strokes, monkeypatch):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    windows.refused_at_first(monkeypatch, "open")
    journal.append(strokes[0][1])
    assert len(only(mask_path).strokes) == 2
    windows.refused_at_first(monkeypatch, "unlink")
    journal.cut(FIRST, 2)
    assert journals_of(mask_path, IMAGE) == []


def test_a_journal_that_could_not_be_deleted_goes_with_the_one_in_its_place(
    mask_path, strokes, own_folder, monkeypatch
):
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    real = os.open

    def held(path, flags, *rest):
        if mask_path.parent == Path(path).parent:
            raise PermissionError(13, "The file is open in another program", str(path))
        return real(path, flags, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", held)
        windows.refused_at_first(patch, "unlink")
        patch.setattr(module, "MOMENT_S", 0.0)
        journal.append(strokes[0][1])
    beside, elsewhere = sorted(journals_of(mask_path, IMAGE), key=lambda path: path.parent == own_folder)
    assert (len(read_journal(beside).strokes), len(read_journal(elsewhere).strokes)) == (1, 2)
    journal.cut(FIRST, 2)
    assert journals_of(mask_path, IMAGE) == []


def fill(monkeypatch, folder):
    """Let each write to a file in `folder` stop in mid-record."""
    opened, write, open_ = {}, os.write, os.open

    def note(path, *rest):
        handle = open_(path, *rest)
        opened[handle] = str(path)
        return handle

    def half(handle, data):
        if not opened.get(handle, "").startswith(str(folder)):
            return write(handle, data)
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data[: len(data) // 2])

    monkeypatch.setattr(module.os, "open", note)
    monkeypatch.setattr(module.os, "write", half)


def test_a_mask_that_moves_takes_its_strokes_along(mask_path, strokes):
    journal = Journal(mask_path, head(FIRST))
    for runs in strokes[0][:3]:
        journal.append(runs)
    copy = mask_path.with_name("cell-2.npz")
    journal.move(copy, strokes[1][1], 2)
    assert journals_of(mask_path, IMAGE) == []
    recorded = only(copy)
    assert len(recorded.strokes) == 1
    assert recorded.had_by(NO_FILE) == 0
    assert np.array_equal(recorded.painted(empty(), None, 0)[0], strokes[1][2])


def test_a_journal_that_was_adopted_stays_until_the_mask_file_is_there(mask_path, strokes):
    first = Journal(mask_path, head())
    first.append(strokes[0][0])
    recorded = only(mask_path)
    second = Journal(mask_path, head())
    second.adopt(recorded)
    second.append(strokes[0][1])
    assert len(journals_of(mask_path, IMAGE)) == 2
    longer = max((read_journal(path) for path in journals_of(mask_path, IMAGE)), key=lambda r: len(r.strokes))
    assert longer.has(recorded)
    second.announce(FIRST, 2)
    second.cut(FIRST, 2)
    assert journals_of(mask_path, IMAGE) == []


def test_strokes_that_the_mask_file_has_are_done_with_also_where_somebody_deleted_their_journal(
    mask_path, strokes
):
    Journal(mask_path, head()).append(strokes[0][0])
    journal = Journal(mask_path, head())
    journal.adopt(only(mask_path))
    for path in journals_of(mask_path, IMAGE):
        path.unlink()
    journal.cut(FIRST, 1)
    assert journal.empty


def test_a_name_that_only_looks_alike_is_not_of_the_mask(mask_path, strokes):
    Journal(mask_path.with_name("cell.b.npz"), head()).append(strokes[0][0])
    assert journals_of(mask_path, IMAGE) == []


def test_a_stroke_asks_the_disk_for_no_folder_that_is_there(mask_path, strokes, monkeypatch):
    mask_path.parent.mkdir()
    made = []
    monkeypatch.setattr(Path, "mkdir", lambda path, **_given: made.append(path))
    journal = Journal(mask_path, head())
    journal.append(strokes[0][0])
    assert len(journals_of(mask_path, IMAGE)) == 1
    assert made == []


def test_a_file_that_is_being_replaced_is_read_then(mask_path, monkeypatch):
    mask_path.parent.mkdir()
    mask_path.write_bytes(b"mask")
    windows.not_opened_at_first(monkeypatch, "rb")
    assert file_sha256(mask_path) == hashlib.sha256(b"mask").hexdigest()


def test_a_journal_whose_accents_macos_gives_apart_is_found(mask_path, strokes, monkeypatch):
    named = mask_path.with_name("célula.npz")
    Journal(named, head()).append(strokes[0][0])
    macos.accents_apart(monkeypatch)
    assert len(only(named).strokes) == 1
