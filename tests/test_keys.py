from qtpy.QtGui import QKeySequence

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.keys import KEYS, by_group


def test_no_key_is_bound_twice():
    sequences = [QKeySequence(text).toString() for key in KEYS.values() for text in key.sequences]
    assert len(set(sequences)) == len(sequences)


def test_qt_understands_every_key():
    assert all(QKeySequence(text)[0].key() for key in KEYS.values() for text in key.sequences)


def test_the_digits_choose_the_classes():
    assert [KEYS[f"class-{cls.code}"].sequence for cls in CLASSES] == ["1", "2", "3", "4", "5"]


def test_every_key_says_what_it_does():
    assert all(key.title for key in KEYS.values())


def test_the_groups_hold_every_key_once():
    assert [key for keys in by_group().values() for key in keys] == list(KEYS.values())
    assert all(len({key.title for key in keys}) == len(keys) for keys in by_group().values())
