import numpy as np
import pytest

from allxai_desktop.proposing.classical import classical_probabilities, optical_density


def drawn(light=(255, 255, 255)):
    rows, columns = np.mgrid[:96, :96]
    passed = np.full((96, 96, 3), 0.94)
    passed[np.hypot(rows - 70, columns - 75) < 14] = (0.9, 0.6, 0.55)
    passed[np.hypot(rows - 40, columns - 35) < 24] = (0.67, 0.55, 0.8)
    passed[np.hypot(rows - 40, columns - 35) < 14] = (0.3, 0.15, 0.5)
    return (passed * light).astype(np.uint8)


@pytest.mark.parametrize("light", [(255, 255, 255), (255, 240, 120)], ids=["white lamp", "yellow lamp"])
def test_a_nucleus_its_cell_a_red_cell_and_the_background_are_told_apart(light):
    codes = classical_probabilities(drawn(light)).argmax(axis=2) + 1

    assert codes[40, [35, 54, 55]].tolist() == [1, 2, 2]
    assert codes[70, 75] == 4
    assert codes[[5, 90], [90, 10]].tolist() == [5, 5]


def test_probabilities_add_up_to_one():
    found = classical_probabilities(drawn())

    assert found.dtype == np.float32
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_even_image_is_background(value):
    found = classical_probabilities(np.full((20, 30, 3), value, np.uint8))

    assert (found.argmax(axis=2) == 4).all()


def test_optical_density_is_relative_to_the_light():
    pixels = np.full((10, 10, 3), (199, 99, 49), np.uint8)
    pixels[0, 0] = (99, 49, 24)

    found = optical_density(pixels)

    np.testing.assert_allclose(found[0, 0], np.log(2), rtol=1e-6)
    assert found[5, 5].tolist() == [0, 0, 0]
