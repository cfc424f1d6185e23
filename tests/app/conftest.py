import pytest
from fake_engine import FakeEngine
from napari.qt import get_qapp
from qtpy.QtCore import QSettings

from allxai_desktop.app import settings as module
from allxai_desktop.app.settings import WindowSettings
from allxai_desktop.app.window import MainWindow


def keep_settings_in(folder):
    """Keep what the window remembers in a file: elsewhere than on Linux Qt would change what the user's own does."""
    path = str(folder / "settings.ini")
    module.QSettings = lambda *_names: QSettings(path, QSettings.Format.IniFormat)


@pytest.fixture(scope="session")
def new_window(qapp):
    """Returns a function that makes a window, in English, without proposals, with its settings in a folder."""
    # Sets up the icons of napari's style for the application that pytest-qt made.
    get_qapp()

    def make(folder, engine=None, *, proposals=False):
        keep_settings_in(folder)
        settings = WindowSettings()
        settings.language = "en"
        settings.proposals = proposals
        window = MainWindow(settings, engine or FakeEngine())
        window.resize(1366, 738)
        return window

    return make


@pytest.fixture
def show_window(qtbot, tmp_path, new_window):
    """Returns a function that makes such a window and shows it; it is closed when the test ends."""

    def show(engine=None, *, proposals=False, before_close=None):
        window = new_window(tmp_path, engine, proposals=proposals)
        qtbot.addWidget(window, before_close_func=before_close)
        with qtbot.waitExposed(window):
            window.show()
        return window

    return show
