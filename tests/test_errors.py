import errno
import os

import pytest

from allxai_desktop.errors import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (TimeoutError("of its own"), "TimeoutError"),
    ],
)
def test_a_system_error_is_quoted_and_one_without_words_is_named(error, reason):
    assert reason_of(error) == reason
