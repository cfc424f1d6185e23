"""Images of a run on disk: decoded once, divided once."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.files import WriteError
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.run_images import PIXELS_FILE, STATISTICS_FILE, decode_images, delete_decoded
from allxai_desktop.training.run_types import Unwatched


@pytest.fixture
def data(tmp_path):
    """A grey image of 100 and one of 200, of 4 × 2 px."""
    for name, level in (("a.png", 100), ("b.png", 200)):
        Image.new("RGB", (4, 2), (level,) * 3).save(tmp_path / name)
    items = [Item(name, "cell") for name in ("a.png", "b.png")]
    return DataSet(tmp_path, items, ["0", "1"], np.zeros((2, 256), np.float32), np.zeros(2, bool), [], [])


@pytest.fixture
def decoded(tmp_path, data):
    """Return what decodes the images, the levels that it had to read so far, and the folder."""
    read = []

    def first_pixel(pixels):
        read.append(int(pixels[0, 0, 0]))
        return pixels[:1, :1, 0]

    folder = tmp_path / "run"
    folder.mkdir()
    return lambda: decode_images(folder, data, (1, 1), first_pixel, Unwatched()), read, folder


def test_the_pixels_of_every_image_are_those_of_the_input(decoded):
    decode, _read, _folder = decoded
    assert decode()[0].tolist() == [[[100]], [[200]]]


def test_the_domain_of_each_image_is_measured(decoded):
    decode, _read, _folder = decoded
    statistics = decode()[1]
    assert statistics.shape == (2, 9)
    assert statistics[:, 0].tolist() == [0, 0]
    assert not np.array_equal(statistics[0], statistics[1])


def test_what_was_decoded_before_is_taken(decoded):
    decode, read, _folder = decoded
    before = [array.tolist() for array in decode()]
    assert [array.tolist() for array in decode()] == before
    assert read == [100, 200]


def test_a_run_that_broke_off_between_its_files_decodes_anew(decoded):
    decode, read, folder = decoded
    decode()
    (folder / STATISTICS_FILE).unlink()
    decode()
    assert read == [100, 200, 100, 200]


def test_a_disk_that_fills_up_between_its_files_is_no_obstacle_once_there_is_room(decoded, monkeypatch):
    decode, read, _folder = decoded

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="disk is full"):
        decode()
    monkeypatch.undo()
    assert decode()[0].tolist() == [[[100]], [[200]]]
    assert read == [100, 200, 100, 200]


def test_what_was_decoded_goes_when_the_run_is_over_as_far_as_the_system_lets_it(decoded, monkeypatch):
    decode, _read, folder = decoded
    decode()
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if path.name == PIXELS_FILE:
            raise PermissionError(13, "The process cannot access the file")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    delete_decoded(folder)
    assert [path.name for path in folder.iterdir()] == [PIXELS_FILE]


def test_images_that_cannot_be_written_leave_no_file(decoded, monkeypatch):
    decode, _read, folder = decoded
    folder.rmdir()
    with pytest.raises(TrainingError, match="were not written to"):
        decode()
    assert not (folder / PIXELS_FILE).exists()
