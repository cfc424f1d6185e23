"""The model of a field on a drawn one with two cells, beside an image of a single cell."""

from threading import Event

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.fields import model as model_module
from allxai_desktop.fields import predicting
from allxai_desktop.fields.crops import Box
from allxai_desktop.fields.model import FieldModel

CELLS = ((100, 120), (200, 180))


@pytest.fixture
def folder(tmp_path, draw_field):
    Image.fromarray(draw_field(CELLS)).save(tmp_path / "field.png")
    Image.new("RGB", (60, 60)).save(tmp_path / "cell.png")
    return tmp_path


@pytest.fixture
def fields(workspace, pump, monkeypatch):
    monkeypatch.setattr(model_module, "MIN_PIXELS", 300 * 300)
    made = FieldModel(workspace, pump, side=64)
    yield made
    made.close()


@pytest.fixture
def opened(fields, workspace, pump, folder):
    workspace.open(folder / "field.png")
    pump.until(lambda: len(fields.marks) == 2)
    return fields


def taken(fields):
    return [mark.taken for mark in fields.marks]


def test_the_cells_of_a_large_image_are_marked_and_it_is_not_explained(opened, workspace):
    assert [(round(mark.candidate.row), round(mark.candidate.column)) for mark in opened.marks] == list(CELLS)
    assert opened.marks[0].box == Box(68, 88, 64)
    assert workspace.session.image is None


def test_a_small_image_is_no_field(fields, workspace, pump, folder):
    workspace.open(folder / "cell.png")
    pump.until(lambda: workspace.session.image is not None)
    assert not fields.active


def test_what_is_painted_already_goes_on_being_painted(fields, workspace, pump, folder):
    fields.auto = False
    workspace.open(folder / "field.png")
    pump.until(lambda: workspace.image is not None)
    workspace.paint.apply(np.arange(5), 1)
    pump.until(lambda: workspace.saved == "saved" and workspace.mask_path.exists())
    fields.auto = True
    workspace.open(folder / "field.png")
    pump.until(lambda: workspace.session.image is not None)
    assert not fields.active


def test_any_image_can_be_taken_for_a_field_and_back(fields, workspace, pump, folder):
    workspace.open(folder / "cell.png")
    pump.until(lambda: workspace.session.image is not None)
    fields.toggle()
    assert fields.active
    assert workspace.session.image is None
    fields.toggle()
    assert workspace.session.image is workspace.image


def test_leaving_a_large_field_is_remembered(opened):
    told = []
    opened.auto_changed.connect(told.append)
    opened.toggle()
    assert told == [False]
    assert opened.marks == ()


def test_a_click_on_a_cell_shows_its_crop_with_its_link(opened, workspace, pump):
    opened.click((105, 115))
    pump.until(lambda: workspace.image.name == "field_00068_00088_64.png")
    assert (workspace.item.field, workspace.item.at) == ("field.png", (68, 88, 64))
    assert workspace.session.image is workspace.image
    assert not opened.active


def test_from_the_crop_back_to_the_field_where_it_is_marked_as_taken(opened, workspace, pump):
    opened.click(CELLS[0])
    pump.until(lambda: opened.home == "field.png")
    opened.toggle()
    pump.until(lambda: workspace.image.name == "field.png")
    assert taken(opened) == ["field_00068_00088_64.png", None]


def test_from_the_crop_of_what_is_a_field_only_by_choice_the_cells_are_marked_again(opened, workspace, pump):
    opened.auto = False
    opened.click(CELLS[0])
    pump.until(lambda: opened.home == "field.png")
    opened.back()
    pump.until(lambda: workspace.image.name == "field.png")
    assert taken(opened) == ["field_00068_00088_64.png", None]
    assert workspace.session.image is None
    opened.toggle()
    workspace.show(0)
    pump.until(lambda: workspace.session.image is workspace.image)
    assert not opened.active


def test_a_taken_cell_is_opened_not_taken_again_whatever_the_size_now(opened, workspace, pump, folder):
    opened.click(CELLS[0])
    pump.until(lambda: opened.home is not None)
    opened.back()
    pump.until(lambda: len(opened.marks) == 2)
    opened.side = 100
    opened.click(CELLS[0])
    pump.until(lambda: opened.home is not None)
    assert [path.name for path in folder.glob("field_*")] == ["field_00068_00088_64.png"]


def test_a_click_beside_the_cells_takes_nothing_and_says_how(opened, workspace, folder):
    opened.click((20, 150))
    assert "Shift" in workspace.notices[-1].text
    assert not opened.busy


def test_a_missed_cell_is_taken_from_anywhere_and_marked(opened, workspace, pump):
    opened.click((20, 150), anywhere=True)
    pump.until(lambda: opened.home is not None)
    assert workspace.item.at == (0, 118, 64)
    opened.back()
    pump.until(lambda: len(opened.marks) == 3)
    assert opened.marks[2].candidate is None
    assert opened.mark_at((31, 149)) is opened.marks[2]


def test_two_quick_clicks_take_both(opened, workspace, pump, folder):
    opened.click(CELLS[0])
    opened.click(CELLS[1])
    pump.until(lambda: opened.home is not None)
    assert len(list(folder.glob("field_*.png"))) == 2
    assert len(workspace.study.items) == 3


def test_all_cells_at_once_stay_at_the_field(opened, workspace, pump):
    opened.take_all()
    pump.until(lambda: opened.taken == 2)
    assert workspace.image.name == "field.png"
    assert [item.field for item in workspace.study.items] == [None, "field.png", "field.png"]


def test_crops_are_linked_to_their_field_several_at_a_time(opened, pump, monkeypatch):
    take, given = model_module.take_crops, []

    def counted(study, item, crops):
        given.append(len(crops))
        return take(study, item, crops)

    monkeypatch.setattr(model_module, "take_crops", counted)
    opened.take_all()
    pump.until(lambda: opened.taken == 2)
    assert given == [2]


def test_a_prediction_that_fails_does_not_keep_crops_from_being_taken(
    opened, workspace, pump, folder, monkeypatch
):
    def fails(*_given):
        raise ValueError

    began, go_on = Event(), Event()
    take = model_module.take_crops

    def slow(*given):
        began.set()
        assert go_on.wait(20)
        return take(*given)

    monkeypatch.setattr(model_module, "predict", fails)
    monkeypatch.setattr(model_module, "take_crops", slow)
    workspace.session.choose(network="gone")
    opened.take_all()
    opened.click((250, 50), anywhere=True)
    assert began.wait(20)
    opened.predict(True)
    pump.until(lambda: workspace.notices)
    go_on.set()
    pump.until(lambda: opened.home is not None)
    assert len(list(folder.glob("field_*.png"))) == 3


def test_a_folder_that_cannot_be_written_is_said(opened, workspace, pump, folder, monkeypatch):
    def refuse(*_args):
        raise model_module.StudyError("no")

    monkeypatch.setattr(model_module, "take_crops", refuse)
    opened.click(CELLS[0])
    pump.until(lambda: workspace.notices)
    assert workspace.notices[-1].level == "error"
    assert workspace.image.name == "field.png"


class Network:
    """Sees a blast where a crop is dark in red, surely so."""

    class card:
        classes = ("blast", "healthy")

    def logits(self, images):
        dark = np.array([float(image[32, 32, 0] < 150) for image in images], np.float32)
        return np.stack([10 * dark, 10 * (1 - dark)], axis=1)

    def domain_warning(self, pixels):
        return "unlike" if len(pixels) < 50 else None


@pytest.fixture
def network(monkeypatch, workspace):
    from allxai_desktop.networks import registry

    monkeypatch.setattr(registry, "load_network", lambda _name: Network())
    workspace.session.choose(network="net")


def test_what_the_network_sees_is_at_each_cell(opened, pump, network):
    opened.predict(True)
    pump.until(lambda: not opened.busy)
    assert [mark.seen.key for mark in opened.marks] == ["blast", "blast"]
    assert opened.marks[0].seen.probability == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-6)


def test_cells_unlike_those_that_the_network_knows_are_told_of(opened, workspace, pump, network):
    told = []
    workspace.noticed.connect(told.append)
    opened.predict(True)
    pump.until(lambda: not opened.busy)
    assert not told
    opened.side = 48
    pump.until(lambda: not opened.busy)
    assert [mark.seen.warning for mark in opened.marks] == ["unlike", "unlike"]
    assert [(notice.level, notice.text) for notice in told] == [("warning", "Cells marked ⚠: 2 of 2. unlike")]


def test_another_size_of_crops_is_predicted_anew(opened, pump, network):
    opened.predict(True)
    pump.until(lambda: not opened.busy)
    opened.side = 40
    assert [mark.seen for mark in opened.marks] == [None, None]


def test_cancelled_predictions_end(opened, pump, network):
    opened.predict(True)
    opened.cancel()
    assert not opened.predicting
    assert not opened.busy


def test_predictions_come_batch_by_batch(monkeypatch, network, draw_field):
    from allxai_desktop.fields.source import PixelField

    monkeypatch.setattr(predicting, "BATCH", 1)
    delivered, shares = [], []
    boxes = [Box(68, 88, 64), Box(0, 0, 64)]
    predicting.predict("net", PixelField(draw_field(CELLS)), boxes, delivered.append, shares.append)
    assert [[(box, seen.key) for box, seen in batch.items()] for batch in delivered] == [
        [(boxes[0], "blast")],
        [(boxes[1], "healthy")],
    ]
    assert shares == [0, 0.5]
