"""What the set-up says: English, or Spanish from the project's own catalogue."""

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

TRANSLATIONS = Path(__file__).parents[2] / "resources" / "translations"


class SetupError(Exception):
    """A step of the set-up failed. The message says what to do."""


@cache
def _catalogue() -> "NullTranslations":
    # Only when there is something to say: a second run says nothing.
    import gettext
    import locale

    languages = None
    if not any(os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")):
        # Windows has no such variables, and its own names ("Spanish_Mexico"), not all of which Python knows.
        with suppress(ValueError):
            name = (locale.getlocale()[0] or "").lower()
            languages = ["es"] if name.startswith(("es", "spanish")) else []
    return gettext.translation("allxai", TRANSLATIONS, languages, fallback=True)


def _(text: str) -> str:
    """Return `text` in the language of the environment variables, or else of the system."""
    return _catalogue().gettext(text)


def say(text: str) -> None:
    """Print `text` at once, apart from what pip, apt or pytest print."""
    # A Windows console may lack characters of the text.
    encoding = sys.stdout.encoding or "utf-8"
    print("allxai:", text.encode(encoding, "replace").decode(encoding), flush=True)
