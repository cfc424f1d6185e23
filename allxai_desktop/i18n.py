"""Texts in English (the source) and Spanish, from gettext catalogues in `allxai_resources`."""

import gettext
import locale
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import files

LANGUAGES = {"en": "English", "es": "Español"}
"""Language code → its own name, in the order in which the menu shows them."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_DOMAIN = "allxai"
_FOLDER = files("allxai_resources") / "translations"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"
_guessed = False


def N_(text: str) -> str:
    """Mark `text` for the catalogue; it is translated with `_` when it is shown."""
    return text


def _(text: str) -> str:
    """Return `text` in the language set last."""
    return _catalogue.gettext(text) if text else ""


def language() -> str:
    """Return the code of the language set last: "en" or "es"."""
    return _language


def counted(count: int, one: str, many: str, **facts: object) -> str:
    """Return `one` (marked with `N_`) translated where `count` is 1, else `many`, with the number for its `{count}`.

    `facts` go to the other places in braces.
    """
    return _(one if count == 1 else many).format(count=count, **facts)


def system_language(asked: Iterable[str] = ()) -> str:
    """Return the code in `LANGUAGES` that the environment or the system asks for, else "en".

    `asked` are the languages of the system, such as "es-MX", the first wanted most, where the caller knows them.
    """
    for name in () if _guessed else _VARIABLES:
        value = os.environ.get(name, "")
        if value and value not in {"C", "C.UTF-8", "POSIX"}:
            return value[:2] if value[:2] in LANGUAGES else "en"
    # Not every name that a system has for its own is known to Python.
    with suppress(ValueError):
        asked = [*asked, locale.getlocale()[0] or ""]
    # Windows names languages in words ("Spanish_Mexico").
    code = next((name[:2].lower() for name in asked if name), "en").replace("sp", "es")
    return code if code in LANGUAGES else "en"


def follow_system() -> None:
    """Switch to the system's language, also what Python's own libraries say in words of our catalogue."""
    global _guessed
    code = system_language()
    set_language(code)
    # They find the language by the same variables of the environment, which only some systems have.
    if not any(os.environ.get(name) for name in _VARIABLES):
        os.environ["LANGUAGE"] = code
        # Whoever knows the system better is still believed.
        _guessed = True
    gettext.bindtextdomain(_DOMAIN, str(_FOLDER))
    gettext.textdomain(_DOMAIN)


def set_language(code: str) -> None:
    """Switch every text looked up from now on. Raises `KeyError` for a code outside `LANGUAGES`."""
    global _catalogue, _language
    LANGUAGES[code]
    if code == "en":
        _catalogue = gettext.NullTranslations()
    else:
        path = _FOLDER / code / "LC_MESSAGES" / f"{_DOMAIN}.mo"
        with path.open("rb") as stream:
            _catalogue = gettext.GNUTranslations(stream)
    _language = code
