import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import load_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.import_model import ImportModel


class Delivered:
    """Runs what the worker sends when the test asks for it, and counts on no clock."""

    def __init__(self):
        self.calls = []

    def __call__(self, call):
        self.calls.append(call)

    def run(self):
        while self.calls:
            self.calls.pop(0)()


@pytest.fixture
def study(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (3, 2)).save(tmp_path / "images" / "a.png")
    return Study.open(tmp_path)


@pytest.fixture
def masks(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    Image.fromarray(np.array([[0, 128, 255]] * 2, np.uint8)).save(folder / "a.png")
    return folder


@pytest.fixture
def dispatch():
    return Delivered()


@pytest.fixture
def model(study, dispatch):
    made = ImportModel(study, dispatch)
    yield made
    made.close()


@pytest.fixture
def settle(model, dispatch):
    def wait():
        # One worker: what is asked of it later is done later.
        model._tasks._worker.submit(lambda: None).result(20)
        dispatch.run()

    return wait


def test_it_starts_with_nothing_to_do(model):
    model.start()
    assert (model.ready, model.running) == (False, False)


def test_labels_that_are_no_class_wait_for_a_meaning(model, masks, settle):
    model.choose(masks)
    assert model.running
    settle()
    assert model.meanings == {"0": 0, "128": None, "255": None}
    assert not model.ready
    model.set_meaning("128", 2)
    assert not model.ready
    model.set_meaning("255", 1)
    assert model.ready


def test_an_import_tells_what_it_did(model, study, masks, settle):
    reports = []
    model.imported.connect(reports.append)
    model.choose(masks)
    settle()
    model.set_meaning("128", 2)
    model.set_meaning("255", 1)
    model.start()
    settle()
    assert [str(report) for report in reports] == ["1 masks imported."]
    assert load_mask(study.items[0].mask_path).codes.tolist() == [[0, 2, 1]] * 2


def test_masks_that_are_there_are_replaced_only_when_asked(model, study, masks, settle):
    kept = []
    model.imported.connect(lambda report: kept.append(report.kept))
    for replace in (False, False, True):
        model.replace_existing = replace
        model.choose(masks)
        settle()
        model.set_meaning("128", 2)
        model.set_meaning("255", 1)
        model.start()
        settle()
    assert kept == [[], ["a.png"], []]


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_ready(model, masks, settle):
    told = []
    model.failed.connect(told.append)
    model.choose(masks / "notes.txt")
    settle()
    assert told[0].startswith("notes.txt is no mask that this program reads")
    assert not model.ready


def test_after_cancelling_nothing_is_ready(model, masks, settle):
    model.choose(masks)
    model.cancel()
    settle()
    assert (model.ready, model.running) == (False, False)
