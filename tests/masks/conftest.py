from dataclasses import replace

import numpy as np
import pytest

from allxai_desktop.images import image_from_array
from allxai_desktop.masks.exported import Exported
from allxai_desktop.masks.labels import to_codes


def exported(codes, name="cell.png", pixel_size_um=None):
    """A mask of an image whose pixels depend on its name."""
    pixels = np.full((*codes.shape, 3), len(name), np.uint8)
    image = replace(image_from_array(pixels, name), pixel_size_um=pixel_size_um)
    return Exported(codes, image, name.rsplit(".", 1)[0], annotator="A07")


@pytest.fixture
def make():
    return exported


@pytest.fixture(params=range(6))
def codes(request):
    """Small masks with parts, holes, corners that touch, every class, one class, or nothing at all."""
    random = np.random.default_rng(request.param)
    if request.param == 4:
        return np.full((5, 3), 4, np.uint8)
    if request.param == 5:
        return np.zeros((4, 6), np.uint8)
    return random.integers(0, 6, random.integers(2, 20, 2)).astype(np.uint8)


@pytest.fixture
def read_back():
    """Read the first image of a list of entries as codes."""

    def read(entries):
        (entry,) = entries
        found, notes = to_codes(entry.read(), {}, "cell")
        assert notes == ()
        return found

    return read
