import numpy as np
import pytest
from drawn import disc


@pytest.fixture
def draw_field():
    """Draws a field of `side` px with four red cells of 24 px and nuclei of 30 px at `places`."""

    def draw(places=(), side=300):
        pixels = np.full((side, side, 3), (240, 236, 220), np.uint8)
        for row in (30, side - 30):
            for column in (30, side - 30):
                disc(pixels, row, column, 24, (225, 165, 150))
        for row, column in places:
            disc(pixels, row, column, 30, (110, 60, 150))
        return pixels

    return draw
