"""A disk without room, strokes, a study at work, and one with masks to exchange."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from mask_studies import make_study
from numpy.typing import NDArray
from PIL import Image
from study_desk import SIDE, A, Desk, R

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Runs


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which no file can be written; where the system knows no such limit, the test is left out."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def full() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full


@pytest.fixture
def strokes() -> tuple[list[Runs], list[NDArray[np.uint8]]]:
    """Return the runs of three strokes and an undo on an empty mask of 3×4, and the masks after each."""
    model, made, masks = PaintModel(np.zeros((3, 4), np.uint8)), [], []
    model.stroke_ended.connect(lambda runs: (made.append(runs), masks.append(model.codes.copy())))
    model.apply(np.array([0, 1, 2]), 1)
    model.apply(np.array([2, 7, 11]), np.array([2, 3, 4], np.uint8))
    model.apply(np.array([5]), 5)
    model.undo()
    return made, masks


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        Image.new("RGB", (SIDE, SIDE), (number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "study.toml").write_text('title = "Three"\n')
    return tmp_path


@pytest.fixture
def desk(folder, pump):
    found = Desk(folder, pump)
    yield found
    found.close()


@pytest.fixture
def submitted(desk):
    """Return a desk with its first image submitted by A07, and the reviewer R01 at it."""
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.study.person = R
    desk.show(0)
    return desk


@pytest.fixture
def study(tmp_path):
    return make_study(tmp_path / "study")


@pytest.fixture
def empty(tmp_path):
    """The same images without masks."""
    return make_study(tmp_path / "empty", labelled=())
