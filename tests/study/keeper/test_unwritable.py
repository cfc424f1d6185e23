"""Folders that cannot be written, move or are full, through real workspaces."""

import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import load_mask


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
