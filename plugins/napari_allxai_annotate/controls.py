"""Controls that the annotate panel uses more than once, and the scale of its slider."""

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QSlider

from allxai_desktop.painting.engine import MAX_BRUSH

SLIDER_STEPS = 100


def code_box() -> QComboBox:
    """Return an empty box for classes, as narrow as its column."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def slider() -> QSlider:
    """Return a slider of `SLIDER_STEPS`."""
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, SLIDER_STEPS)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def size_at(step: int) -> int:
    """Return the brush size of a step of the slider: the same ratio from each step to the next."""
    return round(math.exp(step / SLIDER_STEPS * math.log(MAX_BRUSH)))


def slider_at(size: int) -> int:
    """Return the step of the slider for a brush size."""
    return round(SLIDER_STEPS * math.log(size) / math.log(MAX_BRUSH))
