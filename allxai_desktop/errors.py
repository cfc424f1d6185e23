"""The error type whose message is meant for the user, and what it quotes of others."""

from collections.abc import Sequence

from allxai_desktop.i18n import _

# Windows did not find a library, or a function in it, or could not start it.
_NOT_LOADED = (126, 127, 1114)


class AllxaiError(Exception):
    """Something the user can mend. The message is one translated sentence that says what to do."""


class LeftOutError(AllxaiError):
    """Things that a command left out, where it did the rest. The message is a sentence for each, one a line."""

    @classmethod
    def check(cls, problems: Sequence[str]) -> None:
        """Raise it where there are problems."""
        if problems:
            raise cls("\n".join(problems))


def mend_of(error: BaseException) -> str:
    """Return what to do about an error that a machine of the user's may have; "" where that is not known."""
    if getattr(error, "winerror", None) in _NOT_LOADED and "torch" in str(error):
        return _(
            "torch cannot be loaded: install Microsoft's Visual C++ Redistributable (x64), and start again."
        )
    return ""


def reason_of(error: OSError) -> str:
    """Return what the system says went wrong, or the kind of the error where it says nothing."""
    return error.strerror or type(error).__name__
