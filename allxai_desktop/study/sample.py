"""The sample study that ships with the program."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from platformdirs import user_data_path

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.files import patiently
from allxai_desktop.i18n import _


def sample_study() -> Path:
    """Return the user's own copy of the sample study, made the first time, so that the original stays.

    Raises `AllxaiError` where it cannot be made.
    """
    folder = user_data_path("allxai-desktop", appauthor=False) / "sample-study"
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        with as_file(files("allxai_resources") / "sample_study") as original:
            shutil.copytree(original, unfinished)
        patiently(lambda: unfinished.rename(folder))
    except OSError as error:
        raise AllxaiError(
            _(
                "The sample study cannot be copied to {folder} ({reason}): "
                "free the disk or open a folder of your own."
            ).format(folder=folder.parent, reason=reason_of(error))
        ) from error
    return folder
