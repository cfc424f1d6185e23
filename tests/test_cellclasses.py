"""The five classes."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from allxai_desktop.cellclasses import CLASSES

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "usual": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def test_the_letter_of_each_class_contrasts_with_its_colour():
    # In turn 15.9, 6.1, 9.1, 5.4 and 5.2 : 1; 4.5 is what a text needs.
    assert [cls.ink for cls in CLASSES] == ["black", "black", "black", "black", "white"]


@pytest.mark.parametrize(
    ("sight", "closest", "distance"),
    [("usual", "VB", 22.3), ("protan", "CR", 18.2), ("deutan", "CR", 20.5), ("tritan", "CV", 12.1)],
)
def test_the_colours_of_the_classes_are_told_apart(sight, closest, distance):
    levels = np.array([cls.color for cls in CLASSES]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(SIGHTS[sight]), 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    labs = dict(zip((cls.letter for cls in CLASSES), rgb2lab(seen), strict=True))
    apart = {one + other: deltaE_ciede2000(labs[one], labs[other]) for one, other in combinations(labs, 2)}
    assert min(apart, key=apart.get) == closest
    assert apart[closest] == pytest.approx(distance, abs=0.05)
