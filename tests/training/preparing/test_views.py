import numpy as np
import pytest
import torch

from allxai_desktop.training.preparing.views import SYMMETRIES, View, see, symmetry, zoom

CORNERS = np.array([[1, 2], [3, 4]], np.uint8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rot0", [[1, 2], [3, 4]]),
        ("rot90", [[2, 4], [1, 3]]),
        ("rot180", [[4, 3], [2, 1]]),
        ("rot270", [[3, 1], [4, 2]]),
        ("mirror", [[2, 1], [4, 3]]),
        ("mirror90", [[1, 3], [2, 4]]),
        ("mirror180", [[3, 4], [1, 2]]),
        ("mirror270", [[4, 2], [3, 1]]),
    ],
)
def test_the_eight_symmetries(name, expected):
    number = SYMMETRIES.index(name)
    assert symmetry(CORNERS, number).tolist() == expected
    assert symmetry(torch.from_numpy(CORNERS)[None], number, (-2, -1))[0].tolist() == expected


def test_a_zoom_of_two_shows_the_middle_half():
    labels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert zoom(labels, 2, labels=True).tolist() == [
        [5, 5, 6, 6],
        [5, 5, 6, 6],
        [9, 9, 10, 10],
        [9, 9, 10, 10],
    ]


def test_a_zoom_keeps_shape_and_an_even_image():
    even = np.full((5, 7, 3), 80, np.uint8)
    assert np.array_equal(zoom(even, 1.2), even)


def test_a_view_turns_first_and_then_zooms():
    labels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert see(labels, View(1, 2.0), labels=True)[::2, ::2].tolist() == [[6, 10], [5, 9]]


def test_views_are_named_for_files():
    assert [View().name, View(4).name, View(1, 1.2).name] == ["rot0", "mirror", "rot90_zoom1.2"]
