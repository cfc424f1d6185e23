from queue import Queue

import numpy as np
import pytest

from allxai_desktop.painting import superpixels as module
from allxai_desktop.painting.superpixels import Superpixels, segment


@pytest.fixture
def calls():
    return Queue()


@pytest.fixture
def superpixels(calls, monkeypatch):
    """Return the superpixels of an image of 8 × 12 px in tiles of 8, each column of which is one."""
    monkeypatch.setattr(module, "TILE", 8)
    monkeypatch.setattr(
        module, "segment", lambda part: np.tile(np.arange(part.shape[1], dtype=np.uint16), (len(part), 1))
    )
    made = Superpixels(calls.put)
    made.new_image(np.zeros((8, 12, 3), np.uint8))
    yield made
    made.close()


def fetch(superpixels, calls):
    while superpixels._tasks.running:
        calls.get(timeout=20)()


def test_superpixels_do_not_cross_an_edge():
    pixels = np.full((40, 40, 3), 230, np.uint8)
    pixels[:, 17:] = (90, 40, 120)
    labels = segment(pixels)
    assert not set(labels[:, :17].flat) & set(labels[:, 17:].flat)
    assert 10 <= len(np.unique(labels)) <= 40


def test_what_is_not_known_is_missed_and_found_once_it_is_ready(superpixels, calls):
    told = []
    superpixels.ready.connect(lambda: told.append(True))
    found, missed = superpixels.touched(np.array([2, 3]))
    assert (found.tolist(), missed.tolist()) == ([], [2, 3])
    fetch(superpixels, calls)
    assert told == [True]
    found, missed = superpixels.touched(np.array([2, 3]))
    assert found.tolist() == sorted(row * 12 + column for row in range(8) for column in (2, 3))
    assert len(missed) == 0


def test_a_brush_over_two_tiles_touches_both(superpixels, calls):
    superpixels.touched(np.array([7, 8]))
    fetch(superpixels, calls)
    found, missed = superpixels.touched(np.array([7, 8]))
    assert found.tolist() == sorted(row * 12 + column for row in range(8) for column in (7, 8))
    assert len(missed) == 0


def test_another_image_drops_what_was_being_computed(superpixels, calls):
    superpixels.touched(np.array([2]))
    superpixels.new_image(np.zeros((8, 12, 3), np.uint8))
    fetch(superpixels, calls)
    assert superpixels.touched(np.array([2]))[1].tolist() == [2]
    fetch(superpixels, calls)
    assert len(superpixels.touched(np.array([2]))[0]) == 8
