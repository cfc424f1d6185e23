"""The five classes."""

from allxai_desktop.cellclasses import CLASSES


def test_the_letter_of_each_class_contrasts_with_its_colour():
    # In turn 15.9, 6.1, 9.1, 5.4 and 5.2 : 1; 4.5 is what a text needs.
    assert [cls.ink for cls in CLASSES] == ["black", "black", "black", "black", "white"]
