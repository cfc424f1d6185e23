"""Every text that a user may see exists in both languages."""

import gettext
import importlib.util
import locale
import os
import re
import string
from pathlib import Path

import pytest

from allxai_desktop import i18n
from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.i18n import _, follow_system, set_language, system_language

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("translations", ROOT / "installer" / "translations.py")
translations = importlib.util.module_from_spec(spec)
spec.loader.exec_module(translations)


@pytest.fixture(scope="module")
def source():
    return {message.id for message in translations.extract() if message.id}


@pytest.fixture(scope="module")
def spanish():
    path = translations.po_path("es").with_suffix(".mo")
    with path.open("rb") as stream:
        return gettext.GNUTranslations(stream)._catalog


def test_the_source_is_found(source):
    assert len(source) > 50


def test_no_text_is_missing_in_spanish(source, spanish):
    assert sorted(text for text in source if not spanish.get(text)) == []


def test_no_text_is_left_over(source, spanish):
    assert sorted(text for text in spanish if text and text not in source) == []


def test_both_languages_fill_in_the_same_names(source, spanish):
    def names(text):
        return sorted(name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name)

    assert [text for text in source if names(text) != names(spanish[text])] == []


def test_no_user_text_is_built_before_it_is_translated():
    # `_(f"…")` never finds its text in the catalogue.
    found = [
        path
        for folder in translations.SOURCES
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\b_\(\s*f[\"']", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_switching_the_language_switches_the_class_names():
    set_language("es")
    assert BY_KEY["nucleus"].title == "Núcleo"
    set_language("en")
    assert BY_KEY["nucleus"].title == "Nucleus"


def test_an_empty_text_stays_empty():
    set_language("es")
    assert _("") == ""


@pytest.fixture
def no_variables(monkeypatch):
    """Let no variable of the environment name a language."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_variables")
@pytest.mark.parametrize(
    ("value", "expected"), [("es_MX.UTF-8", "es"), ("en_US.UTF-8", "en"), ("de_DE.UTF-8", "en")]
)
def test_the_systems_language_is_followed_where_there_is_a_catalogue(monkeypatch, value, expected):
    monkeypatch.setenv("LANG", value)
    assert system_language() == expected


@pytest.mark.usefixtures("no_variables")
@pytest.mark.parametrize(
    ("name", "expected"),
    [("Spanish_Mexico", "es"), ("es_MX", "es"), ("English_United States", "en"), (None, "en")],
)
def test_where_no_variable_names_a_language_the_systems_own_name_does(monkeypatch, name, expected):
    monkeypatch.setattr(locale, "getlocale", lambda: (name, "1252"))
    assert system_language() == expected


@pytest.mark.usefixtures("no_variables")
def test_what_the_caller_knows_of_the_system_comes_first(monkeypatch):
    monkeypatch.setattr(locale, "getlocale", lambda: ("English_United States", "1252"))
    assert system_language(["es-MX", "en"]) == "es"
    assert system_language(["de-DE", "es-MX"]) == "en"


@pytest.mark.usefixtures("no_variables")
def test_a_name_of_a_language_that_python_does_not_know_is_english(monkeypatch):
    def unknown():
        raise ValueError("unknown locale: en-001")

    monkeypatch.setattr(locale, "getlocale", unknown)
    assert system_language() == "en"


@pytest.mark.usefixtures("no_variables")
def test_what_python_says_itself_follows_too(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(i18n, "_guessed", False)
    monkeypatch.setattr(locale, "getlocale", lambda: ("Spanish_Mexico", "1252"))
    follow_system()
    assert gettext.gettext("expected one argument") == "falta su valor"


@pytest.mark.usefixtures("no_variables")
def test_what_was_followed_does_not_outdo_who_knows_the_system_better(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(i18n, "_guessed", False)
    # As on macOS, outside a terminal.
    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))
    follow_system()
    assert system_language() == "en"
    assert system_language(["es-MX"]) == "es"
