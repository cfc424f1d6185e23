"""What the set-up says: English, or Spanish from the project's own catalogue."""

import sys
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
    import gettext  # only when there is something to say: a second run says nothing

    return gettext.translation("allxai", TRANSLATIONS, fallback=True)


def _(text: str) -> str:
    """Return `text` in the language of the environment variables."""
    return _catalogue().gettext(text)


def say(text: str) -> None:
    """Print `text` at once, apart from what pip, apt or pytest print."""
    # A Windows console may lack characters of the text.
    encoding = sys.stdout.encoding or "utf-8"
    print("allxai:", text.encode(encoding, "replace").decode(encoding), flush=True)
