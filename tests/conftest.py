"""What every test needs: English texts, settings of its own, and a screen or a word about it."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

if sys.platform == "win32":
    # Before pytest-qt has Qt in the process, where torch's DLLs then fail to load.
    import torch  # noqa: F401

from allxai_desktop import i18n

CHECKOUT = Path(__file__).parents[1]

# Before napari is imported: tests must neither read nor change the user's settings.
_settings = tempfile.TemporaryDirectory(prefix="allxai-tests-", ignore_cleanup_errors=True)
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = _settings.name
# The same on Windows.
os.environ["WIN_PD_OVERRIDE_LOCAL_APPDATA"] = _settings.name
os.environ["NAPARI_CONFIG"] = str(Path(_settings.name) / "napari.yaml")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that opens a window where there is no screen; Qt would end the whole run."""
    screenless = sys.platform == "linux" and not os.environ.get("DISPLAY")
    if screenless and "qapp" in getattr(item, "fixturenames", ()):
        pytest.fail("There is no screen: use `python3 installer/bootstrap.py test`, which starts Xvfb.")


def pytest_unconfigure() -> None:
    """Remove the settings before the interpreter takes the modules apart."""
    _settings.cleanup()


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Show English texts, whatever the system's language and the test before."""
    monkeypatch.setenv("LANGUAGE", "en")
    before = i18n.language()
    i18n.set_language("en")
    yield
    i18n.set_language(before)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the repository."""
    return CHECKOUT


@pytest.fixture
def user_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the user's networks, the test's own; it does not exist yet."""
    from allxai_desktop.networks import registry, user

    monkeypatch.setattr(user, "user_data_path", lambda *args, **options: tmp_path / "data")
    monkeypatch.setattr(registry, "_loaded", set())
    return user.user_folder()


class Pump:
    """A `dispatch` that keeps what the threads hand over, to run it on the test's own thread."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], None]] = Queue()

    def __call__(self, call: Callable[[], None]) -> None:
        self.calls.put(call)

    def run(self) -> None:
        """Run all that has come."""
        while not self.calls.empty():
            self.run_one()

    def run_one(self) -> None:
        """Run the next call, which may still have to come."""
        self.calls.get(timeout=20)()

    def until(self, condition: Callable[[], object]) -> None:
        """Run what comes until `condition` holds, at most for a minute."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            with suppress(Empty):
                self.calls.get(timeout=0.01)()


@pytest.fixture
def pump() -> Pump:
    return Pump()


@pytest.fixture
def workspace(pump: Pump) -> Iterator[Any]:
    """Yield a workspace without an image; its `notices` are all that it told."""
    from allxai_desktop.painting.engine import PaintModel
    from allxai_desktop.session import Session
    from allxai_desktop.study.workspace import Workspace

    session = Session(PaintModel(), dispatch=pump)
    made: Any = Workspace(session, pump)
    made.notices = []
    made.noticed.connect(made.notices.append)
    yield made
    made.close()
    session.close()
