"""Desks, also of programs that died, and a folder of two images."""

from dataclasses import replace

import pytest
from keeper_desk import Desk
from PIL import Image

from allxai_desktop.study import journal, locks
from allxai_desktop.study import workspace as workspace_module
from allxai_desktop.study.locks import PaintingSession


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("own")
    monkeypatch.setattr(journal, "user_data_path", lambda *args, **options: folder)
    return folder / "journals"


@pytest.fixture
def desk(pump):
    made = []

    def make(name="A07"):
        made.append(Desk(name, pump))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def dead(monkeypatch, pump):
    """Return a call that makes a desk whose process will be taken for a dead one, with the id of its session."""

    def make(name="A07", session=None):
        with monkeypatch.context() as patch:
            if session is not None:
                patch.setattr(locks.secrets, "token_hex", lambda _bytes: session)
            new = PaintingSession.new()
        with monkeypatch.context() as patch:
            patch.setattr(
                workspace_module.PaintingSession, "new", lambda: replace(new, started=new.started - 9999)
            )
            return Desk(name, pump)

    return make


@pytest.fixture
def folder(tmp_path):
    for number in range(2):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(tmp_path / f"cell_{number}.png")
    return tmp_path
