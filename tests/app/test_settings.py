"""What the window starts with where nothing was chosen yet."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from qtpy.QtCore import QSettings

from allxai_desktop.app import settings
from allxai_desktop.app.settings import WindowSettings

INI = QSettings.Format.IniFormat


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "QSettings", lambda *_names: QSettings(str(tmp_path / "settings.ini"), INI))
    return WindowSettings()


def test_the_first_dialog_opens_in_the_users_own_folder(found):
    assert found.last_folder == str(Path.home())
    found.last_folder = "/data"
    assert found.last_folder == "/data"


@pytest.mark.parametrize(("wanted", "expected"), [(["es-MX", "en"], "es"), (["de-DE"], "en")])
def test_the_first_language_is_that_of_the_system_also_where_no_variable_names_it(
    found, monkeypatch, wanted, expected
):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        settings, "QLocale", SimpleNamespace(system=lambda: SimpleNamespace(uiLanguages=lambda: wanted))
    )
    assert found.language == expected
