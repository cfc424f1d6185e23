import errno
import os

import pytest

from allxai_desktop.errors import mend_of, reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (TimeoutError("of its own"), "TimeoutError"),
    ],
)
def test_a_system_error_is_quoted_and_one_without_words_is_named(error, reason):
    assert reason_of(error) == reason


def of_windows(number, text):
    error = OSError(text)
    error.winerror = number
    return error


def test_what_torch_lacks_on_windows_is_named():
    text = r"A DLL initialization routine failed. Error loading C:\lab\torch\lib\c10.dll or one of its dependencies."
    assert mend_of(of_windows(1114, text)).startswith(
        "torch cannot be loaded: install Microsoft's Visual C++"
    )


@pytest.mark.parametrize(
    "error", [of_windows(5, "torch.pt: access is denied"), of_windows(126, "x.dll"), OSError("torch")]
)
def test_of_other_errors_no_mend_is_known(error):
    assert mend_of(error) == ""
