"""A run as a window shows it, with a trainer that does as the test says."""

import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import noise

from allxai_desktop.errors import AllxaiError
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.training.measuring.evaluation import Answers, evaluate
from allxai_desktop.training.measuring.report import Part, Setting, to_json
from allxai_desktop.training.run_types import EpochRecord, Request, RunResult
from allxai_desktop.training.train_model import TrainModel

PLAN = SimpleNamespace(epochs=4)


def preset(task="classification", classes=None, start="none", architecture="a", val=0.1):
    return SimpleNamespace(
        task=task, classes=classes, plan=PLAN, start=start, architecture=architecture, val=val
    )


PRESETS = {
    "three": preset(classes=3),
    "any": preset(),
    "masks": preset("segmentation"),
    "second": preset(start="first", architecture="b"),
    "no validation": preset(val=0.0),
}


def record(number, of=2):
    return EpochRecord(number, of, 1 / number, 0.5, 2 / number, 0.25, 10.0, 10.0 * (of - number))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class FakeTrainer:
    """Tells of a stage, half an epoch and one epoch, waits at the `gate`, tells of the second and writes a report."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.requests = []
        self.error = None
        self.broken_off = set()
        self.ended = threading.Event()
        self.offering = threading.Event()
        self.offering.set()

    def train(self, request, watcher):
        self.requests.append(request)
        self.broken_off.add(request.out)
        try:
            watcher.note("Two images were left out.")
            watcher.stage("Reading the images", 0.5)
            watcher.step(0.5)
            watcher.epoch(record(1))
            watcher.step(0.25)
            assert self.gate.wait(10)
            if self.error:
                raise self.error
            watcher.epoch(record(2))
        finally:
            self.ended.set()
        report(request.out)
        self.broken_off.discard(request.out)
        return RunResult(request.out, {}, None)

    def resumable(self, folder):
        return folder in self.broken_off

    def starts(self, architecture):
        return [(f"{architecture}-net", "A network")]

    def former(self, folder, data):
        if folder.name == "damaged":
            raise AllxaiError("run.json cannot be read.")
        return Request("any", data, folder, seed=11, resume=True)

    def offer(self, folder):
        assert self.offering.wait(10)
        if folder.name.endswith("full"):
            raise AllxaiError("The disk is full.")
        return f"{folder.name}-net"


def report(folder):
    folder.mkdir(parents=True, exist_ok=True)
    logits = np.array([[2.0, 0], [0, 2], [2, 0]])
    answers = Answers(logits, np.array([0, 1, 1]), ("a/1.png", "b/1.png", "b/2.png"))
    setting = Setting("net", "data", "by image", {"test": Part(3)})
    text = to_json(evaluate(answers, ("a", "b"), "b"), setting)
    (folder / "evaluation.json").write_text(text, encoding="utf-8")


@pytest.fixture
def trainer():
    made = FakeTrainer()
    yield made
    made.gate.set()


@pytest.fixture
def model(trainer, tmp_path, pump):
    made = TrainModel(PRESETS, trainer, tmp_path / "runs", pump, Clock())
    made.choose(preset="any")
    yield made
    trainer.gate.set()
    made.close()


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("a/1", "a/2", "b/1", "b/2")):
        noise(tmp_path / "cells" / f"{name}.png", seed)
    return tmp_path / "cells"


@pytest.fixture
def ready(model, folder):
    model.data.open(folder)
    wait(model, lambda: model.data.data is not None)
    model.choose(positive="b")
    return model


def wait(model, condition):
    model._dispatch.until(condition)


def run_to_end(model):
    model.start()
    wait(model, lambda: not model.running)


def test_it_says_what_there_is_to_do_first(model, folder):
    assert model.missing == "Choose the images to learn from."
    model.data.open(folder)
    wait(model, lambda: model.data.data is not None)
    assert model.missing == "Choose the positive class: the one that must not be missed."
    model.choose(positive="b")
    assert model.missing == ""


def test_nothing_starts_before_that(model, trainer):
    model.start()
    assert (model.running, trainer.requests) == (False, [])


@pytest.mark.parametrize(
    ("preset", "reason"),
    [
        ("three", "tells 3 classes apart, and these images have 2"),
        ("masks", "these images have none"),
        ("any", ""),
    ],
)
def test_a_preset_says_why_it_does_not_fit(ready, preset, reason):
    assert reason in ready.unsuitable(preset)
    assert bool(ready.unsuitable(preset)) == bool(reason)


def test_a_preset_of_classes_does_not_fit_masks(model, tmp_path):
    for number in range(2):
        noise(tmp_path / "m" / "images" / f"{number}.png", number)
        save_mask(tmp_path / "m" / "masks" / f"{number}.npz", np.full((16, 20), 1, np.uint8))
    model.data.open(tmp_path / "m")
    wait(model, lambda: model.data.data is not None)
    assert model.missing == "This preset learns classes, and these images have none: choose a U-Net."
    model.choose(preset="masks")
    assert model.missing == ""


def test_a_second_stage_asks_for_the_network_that_it_goes_on_from(ready):
    assert ready.starts == [("a-net", "A network")]
    ready.choose(preset="second")
    assert ready.starts == [("b-net", "A network")]
    assert ready.missing.startswith("Choose the network to start from")
    ready.choose(weights="b-net")
    assert ready.missing == ""


def test_the_request_is_what_was_chosen(ready, trainer, folder, tmp_path):
    ready.data.choose(pattern="^([0-9])")
    ready.choose(epochs=7, seed=3, patience=2, batch=5, rate=0.02, unseen=1, test_subjects=("1",))
    run_to_end(ready)
    request = trainer.requests[0]
    assert (request.batch, request.rate, request.unseen, request.test_subjects) == (5, 0.02, 1, ("1",))
    assert (request.preset, request.data, request.groups) == ("any", folder, "^([0-9])")
    assert (request.positive, request.epochs, request.seed, request.resume) == ("b", 7, 3, False)
    assert request.patience == 2
    assert request.out == tmp_path / "runs" / "cells-any"


def test_without_a_validation_part_no_run_is_stopped_early(ready, trainer):
    ready.choose(preset="no validation", patience=2)
    run_to_end(ready)
    assert trainer.requests[0].patience is None


def test_a_second_run_gets_a_folder_of_its_own(ready, trainer):
    run_to_end(ready)
    run_to_end(ready)
    assert [request.out.name for request in trainer.requests] == ["cells-any", "cells-any-2"]


def test_the_window_hears_of_notes_stages_steps_and_epochs(ready, trainer):
    trainer.gate.clear()
    ready.start()
    wait(ready, lambda: ready.stage is not None)
    assert ready.notes == ["Two images were left out."]
    assert ready.stage == ("Reading the images", 0.5)
    wait(ready, lambda: ready.records)
    assert (ready.stage, ready.records, ready.epochs) == (None, [record(1)], 2)
    trainer.gate.set()
    wait(ready, lambda: not ready.running)
    assert ready.records == [record(1), record(2)]


def test_the_time_left_counts_down_within_an_epoch(ready, trainer):
    trainer.gate.clear()
    ready.start()
    assert ready.seconds_left is None
    wait(ready, lambda: ready.share == 0.5)
    ready._clock.now += 6.0
    # Half of the first of four epochs took 6 seconds.
    assert ready.seconds_left == 42.0
    wait(ready, lambda: ready.share == 0.25)
    ready._clock.now += 4.0
    assert ready.seconds_left == 6.0


def test_at_the_end_the_report_is_there(ready, folder):
    run_to_end(ready)
    assert (ready.report.images, ready.report.positive, ready.error) == (3, "b", "")
    assert [mistake.file for mistake in ready.report.mistakes] == ["b/2.png"]
    assert ready.root == folder


def test_a_failure_is_told_in_its_sentence_and_the_run_can_go_on(ready, trainer):
    trainer.error = AllxaiError("The loss is no number any more: lower the learning rate.")
    run_to_end(ready)
    assert ready.error == "The loss is no number any more: lower the learning rate."
    assert ready.report is None
    assert ready.unfinished.name == "cells-any"


def break_off(ready, trainer):
    trainer.gate.clear()
    ready.start()
    wait(ready, lambda: ready.share == 0.25)
    ready.cancel()
    assert (ready.running, ready.error[:19]) == (False, "The run was stopped")
    trainer.gate.set()
    assert trainer.ended.wait(10)


def test_a_cancelled_run_ends_at_once_and_goes_on_by_resume(ready, trainer):
    break_off(ready, trainer)
    ready.choose(seed=5)
    ready.resume()
    wait(ready, lambda: not ready.running)
    first, second = trainer.requests
    assert (second.resume, second.out, second.seed) == (True, first.out, 0)
    assert ready.report is not None


def test_what_a_cancelled_run_still_tells_is_not_heard(ready, trainer):
    break_off(ready, trainer)
    ready.data.choose(pattern="")
    ready._dispatch.run()
    assert ready.records == [record(1)]


def test_a_run_of_an_earlier_day_is_found_by_data_and_preset(model, trainer, folder, tmp_path):
    for name in ("cells-any", "cells-any-2", "cells-three", "cells-any-old"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        trainer.broken_off.add(tmp_path / "runs" / name)
    model.data.open(folder)
    wait(model, lambda: model.data.data is not None)
    assert model.unfinished == tmp_path / "runs" / "cells-any-2"
    model.resume()
    wait(model, lambda: not model.running)
    assert trainer.requests == [
        Request("any", folder, tmp_path / "runs" / "cells-any-2", seed=11, resume=True)
    ]


def test_a_damaged_run_that_is_chosen_is_told(model, trainer, folder, tmp_path):
    trainer.broken_off.add(tmp_path / "damaged")
    model.data.open(folder)
    wait(model, lambda: model.data.data is not None)
    model.choose(out=tmp_path / "damaged")
    model.resume()
    assert (model.running, model.error) == (False, "run.json cannot be read.")


def test_a_run_that_goes_on_beside_other_images_keeps_its_own(ready, trainer, folder, tmp_path):
    break_off(ready, trainer)
    noise(tmp_path / "others" / "a" / "1.png", 9)
    ready.data.open(tmp_path / "others")
    wait(ready, lambda: not ready.data.looking)
    ready.resume()
    wait(ready, lambda: not ready.running)
    assert trainer.requests[-1].data == folder
    assert ready.root == folder


def test_a_run_that_is_chosen_without_its_images_asks_for_them(model, trainer, tmp_path):
    trainer.broken_off.add(tmp_path / "broken off")
    model.choose(out=tmp_path / "broken off")
    model.resume()
    assert (model.running, model.error) == (False, "Choose the images to learn from.")


def test_a_network_that_was_offered_is_not_that_of_the_next_report(ready, trainer, tmp_path):
    run_to_end(ready)
    trainer.offering.clear()
    ready.explain("b/2.png")
    report(tmp_path / "old")
    ready.open_report(tmp_path / "old" / "evaluation.json")
    wait(ready, lambda: ready.folder == tmp_path / "old")
    trainer.offering.set()
    asked = []
    ready.explain_asked.connect(lambda *what: asked.append(what))
    ready.explain("b/2.png")
    wait(ready, lambda: asked)
    assert (ready.network, asked[0][1]) == ("old-net", "old-net")


def test_a_network_is_offered_under_its_name(ready):
    names = []
    ready.offered.connect(names.append)
    run_to_end(ready)
    ready.offer()
    wait(ready, lambda: names)
    assert (names, ready.network) == (["cells-any-net"], "cells-any-net")


def test_a_network_that_cannot_be_offered_is_told(ready, tmp_path):
    failures = []
    ready.failed.connect(failures.append)
    ready.choose(out=tmp_path / "full")
    run_to_end(ready)
    ready.offer()
    wait(ready, lambda: failures)
    assert (failures, ready.network, ready.error) == (["The disk is full."], None, "")


def test_a_report_of_an_earlier_run_is_shown(model, tmp_path):
    report(tmp_path / "old")
    model.open_report(tmp_path / "old" / "evaluation.json")
    wait(model, lambda: model.report)
    assert (model.folder, model.report.network) == (tmp_path / "old", "net")
    assert model.records == []
    (tmp_path / "old" / "other.json").write_text(json.dumps([]))
    model.open_report(tmp_path / "old" / "other.json")
    failures = []
    model.failed.connect(failures.append)
    wait(model, lambda: failures)
    assert failures[0].startswith("other.json is no evaluation")


def test_a_report_brings_the_curves_of_its_run(model, tmp_path):
    report(tmp_path / "old")
    (tmp_path / "old" / "curves.csv").write_text(
        "epoch,loss,accuracy,validation_loss,validation_accuracy,validation_dice,seconds\n"
        "1,0.500000,0.750000,,,,30.00\n2,0.250000,1.000000,0.125000,0.500000,,20.00\n"
    )
    model.open_report(tmp_path / "old" / "evaluation.json")
    wait(model, lambda: model.report)
    assert model.records == [
        EpochRecord(1, 2, 0.5, 0.75, None, None, 30.0, 0.0),
        EpochRecord(2, 2, 0.25, 1.0, 0.125, 0.5, 20.0, 0.0),
    ]


def test_the_positive_class_is_that_of_the_class_map(model, tmp_path):
    for seed, name in enumerate(("ig/1", "ig/2", "monocyte/1", "monocyte/2", "platelet/1", "platelet/2")):
        noise(tmp_path / "pbc" / f"{name}.png", seed)
    model.data.open(tmp_path / "pbc")
    wait(model, lambda: model.data.data is not None)
    assert model.choices.positive is None
    model.data.choose(class_map="pbc-typical")
    assert (model.choices.positive, model.missing) == ("atypical", "")
