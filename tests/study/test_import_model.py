from threading import Event

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import load_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.import_model import ImportModel


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
def model(study, pump):
    made = ImportModel(study, pump)
    yield made
    made.close()


@pytest.fixture
def settle(model, pump):
    def wait():
        # One worker: what is asked of it later is done later.
        model._tasks._worker.submit(lambda: None).result(20)
        pump.run()

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
    assert [str(report) for report in reports] == ["1 mask imported."]
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
    (masks / "notes.txt").touch()
    model.choose(masks / "notes.txt")
    settle()
    assert told[0].startswith("notes.txt is no mask that this program reads")
    assert not model.ready


def test_a_stopped_import_says_how_many_masks_are_in(study, masks, pump, monkeypatch):
    model = ImportModel(study, pump)
    told = []
    model.cancelled.connect(lambda report: told.append(report.cancelled))
    first_is_in, never = Event(), Event()

    def until_stopped(study, path, mapping, *, report, progress, **_asked):
        report.count = 1
        first_is_in.set()
        while True:
            progress(0.5)
            never.wait(0.01)

    monkeypatch.setattr("allxai_desktop.study.import_model.import_masks", until_stopped)
    Image.fromarray(np.array([[1, 2, 3]] * 2, np.uint8)).save(masks / "a.png")
    model.choose(masks)
    model._tasks._worker.submit(lambda: None).result(20)
    pump.run()
    model.start()
    first_is_in.wait(20)
    model.close()
    assert told == ["The import was stopped: 1 mask is in already and stays."]


def test_closing_after_an_import_says_nothing_of_stopping(study, masks, pump):
    model = ImportModel(study, pump)
    told = []
    model.cancelled.connect(told.append)
    model.choose(masks)
    model._tasks._worker.submit(lambda: None).result(20)
    pump.run()
    model.close()
    assert told == []
