from types import SimpleNamespace

import numpy as np

from allxai_desktop.i18n import set_language
from allxai_desktop.training.datasets.planned import caution_of
from allxai_desktop.training.words import cautions


def test_a_class_without_images_is_named_with_the_part():
    counts = np.array([[3, 1, 0], [0, 0, 0], [0, 2, 2]])
    assert cautions("", "val", ("ill", "well", "odd"), counts) == [
        "The part “Validation” has no image of the class well, and says nothing about it."
    ]


def test_a_caution_is_english_on_the_card_and_shown_in_the_language_of_its_readers():
    set_language("es")
    caution = caution_of(SimpleNamespace(has_subjects=False))
    assert caution.startswith("Which person each image is from is not known")
    (said,) = cautions(caution, "test", ("ill", "well"), np.eye(2, dtype=np.int64))
    assert said.startswith("No se sabe de qué persona es cada imagen")
