"""The one error type whose message is meant for the user."""


class AllxaiError(Exception):
    """Something the user can mend. The message is one translated sentence that says what to do."""
