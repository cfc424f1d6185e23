import numpy as np
import pytest

from allxai_desktop.training.datasets.classmaps import ClassMap, read_class_map
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.mask_classes import ANNOTATOR, IGNORED, NUCLEI, mapped_classes

LABELS = np.array([[0, 1, 2, 3, 4, 5]], np.int32)


def test_numbered_nuclei_are_one_class():
    assert NUCLEI.read("a_mask.png", LABELS * 100).tolist() == [[0, 1, 1, 1, 1, 1]]


def test_of_an_annotators_mask_only_the_nucleus_is_one_and_what_nobody_labelled_is_ignored():
    assert NUCLEI.read("a.npz", LABELS).tolist() == [[IGNORED, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize("file", ["a.npz", "a.png"])
def test_the_five_classes_keep_the_order_of_their_codes(file):
    assert ANNOTATOR.keys == ("nucleus", "cytoplasm", "vacuole", "rbc", "background")
    assert ANNOTATOR.read(file, LABELS).tolist() == [[IGNORED, 0, 1, 2, 3, 4]]


def _class_map(target: dict[str, str]) -> ClassMap:
    return ClassMap("map", tuple(dict.fromkeys(target.values())), None, target)


def test_each_class_has_a_name_in_each_language():
    assert NUCLEI.titles_by_language == {
        "en": {"background": "Background", "nucleus": "Nucleus"},
        "es": {"background": "Fondo", "nucleus": "Núcleo"},
    }


def test_a_class_map_says_which_numbers_are_which_class():
    found = mapped_classes(
        NUCLEI, _class_map({"0": "background", "2": "background", "1": "nucleus", "9": "ignored"})
    )
    assert found.keys == NUCLEI.keys
    assert found.read("a.png", np.array([[0, 1, 2, 9]], np.int32)).tolist() == [[0, 1, 0, IGNORED]]
    with pytest.raises(TrainingError, match=r"a\.png: .*labels that are no class \(3\)"):
        found.read("a.png", np.array([[3]], np.int32))


def test_the_map_of_the_program_takes_the_cytoplasm_for_background():
    found = mapped_classes(NUCLEI, read_class_map("wbc-nuclei"))
    assert found.read("a.png", np.array([[0, 1, 2]], np.int32)).tolist() == [[0, 1, 0]]


def test_a_class_map_to_other_classes_is_refused():
    with pytest.raises(TrainingError, match="makes typical, but the preset learns background, nucleus"):
        mapped_classes(NUCLEI, _class_map({"0": "typical"}))


def test_a_class_map_of_names_is_refused():
    with pytest.raises(TrainingError, match="by their numbers"):
        mapped_classes(NUCLEI, _class_map({"lymphocyte": "nucleus"}))
