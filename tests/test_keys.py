import json
from dataclasses import replace

import pytest
from qtpy.QtGui import QKeySequence

from allxai_desktop import keys
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import set_language
from allxai_desktop.keys import KEYS, by_group


@pytest.fixture
def user_keys(tmp_path, monkeypatch):
    """Return the file of the changed keys, the test's own; afterwards the keys are those of the program."""
    path = tmp_path / "config" / "keys.json"
    monkeypatch.setattr(keys, "user_file", lambda: path)
    yield path
    KEYS.update(keys.DEFAULTS)


def test_no_key_is_bound_twice():
    spelled = {
        name: replace(
            key, sequence=QKeySequence(key.sequence).toString(), others=tuple(map(_spelled, key.others))
        )
        for name, key in KEYS.items()
    }
    assert keys.twice(spelled) == []


def _spelled(text):
    return QKeySequence(text).toString()


def test_two_actions_on_one_key_are_seen():
    assert keys.twice(KEYS | {"brush": KEYS["eraser"]}) == ["E"]
    assert keys.twice(KEYS | {"brush": replace(KEYS["brush"], sequence="Return")}) == ["Return"]


def test_enter_submits_where_it_does_not_close_an_outline(user_keys):
    assert KEYS["submit"].sequences == KEYS["close-outline"].sequences
    keys.change("submit", "Ctrl+J")
    keys.change("submit", "Return")
    assert KEYS["submit"].sequences == ("Return", "Enter")


def test_qt_understands_every_key():
    assert all(QKeySequence(text)[0].key() for key in KEYS.values() for text in key.sequences)


def test_the_digits_choose_the_classes():
    assert [KEYS[f"class-{cls.code}"].sequence for cls in CLASSES] == ["1", "2", "3", "4", "5"]


def test_a_key_is_shown_by_what_is_printed_on_it():
    assert [keys.shown(text) for text in ("Ctrl+Return", "Shift+E", "Ctrl++", "+", "Left")] == [
        "Ctrl+Enter",
        "Shift+E",
        "Ctrl++",
        "+",
        "←",
    ]


def test_a_key_is_shown_in_the_language_of_the_program():
    set_language("es")
    shown = [keys.shown(text) for text in ("Return", "Ctrl+Shift+Z", "Space", "PgDown", "F1")]
    assert shown == ["Intro", "Ctrl+Mayús+Z", "Espacio", "AvPág", "F1"]


def test_every_key_says_what_it_does():
    assert all(key.title for key in KEYS.values())


def test_the_groups_hold_every_key_once():
    assert [name for names in by_group().values() for name in names] == list(KEYS)
    for names in by_group().values():
        assert len({KEYS[name].title for name in names}) == len(names)


def test_a_changed_key_replaces_all_of_the_action_and_is_remembered(user_keys):
    told = []
    keys.events.changed.connect(lambda: told.append(True))
    keys.change("larger", "Ctrl+L")
    assert KEYS["larger"].sequences == ("Ctrl+L",)
    assert json.loads(user_keys.read_text()) == {"larger": "Ctrl+L"}
    assert told == [True]
    KEYS.update(keys.DEFAULTS)
    keys.load()
    assert KEYS["larger"].sequences == ("Ctrl+L",)
    keys.reset()
    assert KEYS["larger"].sequences == ("+", "=")
    assert json.loads(user_keys.read_text()) == {}


def test_the_key_of_another_action_is_refused_by_its_title(user_keys):
    with pytest.raises(AllxaiError, match="E is the key of “Eraser"):
        keys.change("brush", "E")
    with pytest.raises(AllxaiError, match="= is the key of “Larger"):
        keys.change("brush", "=")
    assert KEYS["brush"].sequence == "B"
    assert not user_keys.exists()


def test_two_actions_can_change_places(user_keys):
    keys.change("eraser", "J")
    keys.change("brush", "E")
    KEYS.update(keys.DEFAULTS)
    keys.load()
    assert (KEYS["brush"].sequence, KEYS["eraser"].sequence) == ("E", "J")


@pytest.mark.parametrize("name", ["escape", "no such action"])
def test_fixed_and_unknown_actions_keep_their_keys(user_keys, name):
    with pytest.raises(KeyError):
        keys.change(name, "J")


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[1]",
        pytest.param("[" * 100_000, id="deep"),
        '{"gone": "J"}',
        '{"escape": "J"}',
        '{"brush": "E"}',
        '{"brush": "J", "fill": "J"}',
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(user_keys, text, caplog):
    user_keys.parent.mkdir()
    user_keys.write_text(text)
    keys.load()
    assert KEYS == keys.DEFAULTS
    assert "changed keys" in caplog.text
