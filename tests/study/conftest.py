"""A disk without room, and strokes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

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
