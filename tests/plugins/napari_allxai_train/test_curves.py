"""The curves: what is drawn, and the numbers on the axes."""

import pytest
from qtpy.QtGui import QColor

from allxai_desktop.training.run_types import EpochRecord
from napari_allxai_train.curves import TRAINING, VALIDATION, CurvesPlot, _loss_top, _ticks


def record(number, loss=0.5, validation=None, dice=None):
    return EpochRecord(number, 3, loss, 0.5, validation, None, 1.0, 1.0, dice)


def colors(plot):
    image = plot.grab().toImage()
    found = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    return {QColor(value).name() for value in found}


@pytest.fixture
def plot(qtbot):
    made = CurvesPlot()
    qtbot.addWidget(made)
    made.resize(500, 200)
    return made


def test_without_validation_only_one_curve_is_drawn(plot):
    plot.show_records([record(1), record(2)], 3)
    assert TRAINING.name() in colors(plot)
    assert VALIDATION.name() not in colors(plot)


def test_validation_is_drawn_in_its_own_colour(plot):
    plot.show_records([record(1, validation=0.4), record(2, validation=0.6)], 3)
    assert {TRAINING.name(), VALIDATION.name()} <= colors(plot)


def test_a_run_of_one_epoch_shows_its_point(plot):
    plot.show_records([record(1)], 1)
    assert TRAINING.name() in colors(plot)


def test_a_loss_that_is_no_number_is_left_out(plot):
    plot.show_records([record(1, loss=float("nan"))], 3)
    assert plot._series("loss") == []
    plot.grab()


def test_dice_takes_the_place_of_the_accuracy(plot):
    plot.show_records([record(1, dice=0.9)], 3)
    assert plot._series("validation_dice") == [(1, 0.9)]
    assert VALIDATION.name() in colors(plot)


@pytest.mark.parametrize(
    ("largest", "top"), [(0.03, 0.04), (0.7, 0.8), (0.85, 1.0), (1.0, 1.0), (2.3, 4.0), (70, 80), (0.0, 1.0)]
)
def test_the_top_of_the_loss_divides_into_four(largest, top):
    assert _loss_top(([(1, largest)], [])) == pytest.approx(top)


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [
        (1, [1]),
        (2, [1, 2]),
        (7, [1, 2, 3, 4, 5, 6, 7]),
        (45, [1, 9, 17, 25, 33, 45]),
        (100, [1, 18, 35, 52, 69, 86, 100]),
    ],
)
def test_the_first_and_the_last_epoch_have_a_number(epochs, ticks):
    assert _ticks(epochs) == ticks
