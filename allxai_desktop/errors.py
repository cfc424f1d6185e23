"""The error type whose message is meant for the user, and what it quotes of others."""

from collections.abc import Sequence


class AllxaiError(Exception):
    """Something the user can mend. The message is one translated sentence that says what to do."""


class LeftOutError(AllxaiError):
    """Things that a command left out, where it did the rest. The message is a sentence for each, one a line."""

    @classmethod
    def check(cls, problems: Sequence[str]) -> None:
        """Raise it where there are problems."""
        if problems:
            raise cls("\n".join(problems))


def reason_of(error: OSError) -> str:
    """Return what the system says went wrong, or the kind of the error where it says nothing."""
    return error.strerror or type(error).__name__
