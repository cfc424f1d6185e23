import numpy as np
import pytest

from allxai_desktop.masks.labels import Labelled, Region, file_name, guess, regions_of, to_codes
from allxai_desktop.masks.npz import MaskError


def whole(label, shape=(2, 2)):
    return Region(label, np.ones(shape, bool))


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("nucleus", 1),
        ("Núcleo", 1),
        ("CITOPLASMA", 2),
        ("Vacuole", 3),
        ("Red_blood-cell", 4),
        ("glóbulo rojo", 4),
        ("Fondo", 5),
        ("0", 0),
        ("5", 5),
        ("#f0e442", 1),
        ("unlabeled", 0),
    ],
)
def test_names_numbers_and_colours_of_the_classes_are_known(label, code):
    assert guess(label) == code


@pytest.mark.parametrize("label", ["6", "128", "#000000", "platelet", ""])
def test_others_are_not_guessed(label):
    assert guess(label) is None


def test_foreign_labels_are_named_and_asked_for():
    found = Labelled((2, 2), (whole("128"), whole("nucleus"), whole("255")))
    with pytest.raises(MaskError, match=r"^cell has labels that are no class \(128, 255\): say which class"):
        to_codes(found, {}, "cell")


def test_a_mapping_precedes_what_a_label_looks_like():
    codes, _notes = to_codes(Labelled((2, 2), (whole("1"),)), {"1": 2}, "cell")
    assert codes.tolist() == [[2, 2], [2, 2]]


def test_a_label_may_be_left_unlabelled():
    codes, notes = to_codes(Labelled((2, 2), (whole("nucleus"), whole("x"))), {"x": 0}, "cell")
    assert codes.tolist() == [[1, 1], [1, 1]]
    assert notes == ()


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_the_inner_class_has_pixels_of_several_whatever_the_order(order):
    names = ["background", "rbc", "cytoplasm", "nucleus", "vacuole"]
    regions = [Region(name, np.ones((1, 5 - place), bool), 0, place) for place, name in enumerate(names)]
    codes, notes = to_codes(Labelled((1, 5), tuple(regions[order])), {}, "cell.png")
    assert codes.tolist() == [[5, 4, 2, 1, 3]]
    assert notes == ("cell.png: 4 pixels are in several regions; the inner class has them.",)


def test_regions_of_one_class_may_overlap_without_a_word():
    _codes, notes = to_codes(Labelled((2, 2), (whole("rbc"), whole("rbc"))), {}, "cell")
    assert notes == ()


def test_numbers_taken_for_codes_are_told():
    _codes, notes = to_codes(Labelled((2, 2), (whole("0"), whole("4"))), {}, "cell.png")
    assert notes == (
        "cell.png: its numbers were taken for the classes of this program "
        "(1 Nucleus, 2 Cytoplasm, 3 Vacuole, 4 Red blood cell, 5 Background).",
    )


def test_a_region_lies_where_it_says():
    codes, _notes = to_codes(Labelled((3, 3), (Region("rbc", np.ones((1, 2), bool), 2, 1),)), {}, "cell")
    assert codes.tolist() == [[0, 0, 0], [0, 0, 0], [0, 4, 4]]


def test_many_values_are_no_classes():
    assert len(regions_of(np.arange(64), str)) == 64
    with pytest.raises(ValueError, match="too many"):
        regions_of(np.arange(65), str)


@pytest.mark.parametrize("path", ["C:\\Users\\ana\\cell 1.png", "/home/ana/cell 1.png", "cell 1.png"])
def test_the_name_is_the_last_part_of_a_path_of_any_system(path):
    assert file_name(path) == "cell 1.png"
