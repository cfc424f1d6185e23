"""A training panel over a trainer that does as the test says, and images to learn from."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import noise

from allxai_desktop.errors import AllxaiError
from allxai_desktop.training.measuring.evaluation import Answers, evaluate
from allxai_desktop.training.measuring.report import Part, Setting, to_json
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.run_types import EpochRecord, RunResult
from allxai_desktop.training.train_model import TrainModel
from napari_allxai_widgets.dispatch import Dispatcher

CLASSES = ("typical", "atypical")


class FakeTrainer:
    """Tells of two epochs, waits at the `gate` after the first, and leaves a report with two mistakes."""

    def __init__(self, root):
        self.root = root
        self.gate = threading.Event()
        self.gate.set()
        self.error = ""
        self.offer_error = ""
        self.requests = []
        self.broken_off = set()

    def train(self, request, watcher):
        self.requests.append(request)
        self.broken_off.add(request.out)
        watcher.note("A note.")
        watcher.stage("Reading the images", 0.25)
        watcher.step(0.5)
        watcher.epoch(EpochRecord(1, 2, 0.5, 0.75, 0.6, 0.5, 30.0, 30.0))
        watcher.step(0.0)
        assert self.gate.wait(20)
        if self.error:
            raise AllxaiError(self.error)
        watcher.epoch(EpochRecord(2, 2, 0.25, 1.0, 0.5, 0.75, 30.0, 0.0))
        _write_report(request.out)
        self.broken_off.discard(request.out)
        return RunResult(request.out, {}, None)

    def resumable(self, folder):
        return folder in self.broken_off

    def former(self, folder, data):
        raise AllxaiError("run.json cannot be read.")

    def starts(self, architecture):
        return [("my-net", "My network")] if architecture == "unet-standardised" else []

    def offer(self, folder):
        if self.offer_error:
            raise AllxaiError(self.offer_error)
        return "cells-net"


def _write_report(folder, **facts):
    """Write the report of four images: a typical one and an atypical one are each taken for the other."""
    folder.mkdir(parents=True, exist_ok=True)
    logits = np.array([[2.0, 0], [0, 2], [0, 4], [3, 0]])
    files = ("typical/0.png", "atypical/0.png", "typical/1.png", "atypical/1.png")
    answers = Answers(logits, np.array([0, 1, 0, 1]), files)
    setting = Setting(
        "net", "data", "by image", {"test": Part(4)}, caution="Subjects are not known.", **facts
    )
    text = to_json(evaluate(answers, CLASSES, "atypical"), setting)
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    (folder / "card.json").write_text("{}")


@pytest.fixture
def images(tmp_path):
    """A folder with three images of each of two classes."""
    for seed, name in enumerate(f"{label}/{number}" for label in CLASSES for number in range(3)):
        noise(tmp_path / "cells" / f"{name}.png", seed, (24, 24))
    return tmp_path / "cells"


@pytest.fixture
def setting(qtbot, tmp_path, images):
    """A model with its trainer; the two-convolution preset is chosen, no data yet."""
    dispatch = Dispatcher()
    trainer = FakeTrainer(images)
    model = TrainModel(PRESETS, trainer, tmp_path / "runs", dispatch)
    model.choose(preset="two-conv-32")
    yield SimpleNamespace(model=model, trainer=trainer, dispatch=dispatch, images=images)
    trainer.gate.set()
    model.close()


@pytest.fixture
def ready(setting, qtbot):
    """The same, the images read and the positive class chosen."""
    setting.model.data.open(setting.images)
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    setting.model.choose(positive="atypical")
    return setting


@pytest.fixture
def write_report():
    """Return what writes the report of the fake trainer into a folder."""
    return _write_report
