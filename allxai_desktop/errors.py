"""The one error type whose message is meant for the user, and what it quotes of others."""


class AllxaiError(Exception):
    """Something the user can mend. The message is one translated sentence that says what to do."""


def reason_of(error: OSError) -> str:
    """Return what the system says went wrong, or the kind of the error where it says nothing."""
    return error.strerror or type(error).__name__
