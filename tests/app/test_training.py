"""Training from the desktop window: its key, its status line, closing, and networks that appear at once."""

import threading
from types import SimpleNamespace

import pytest
from drawn import noise
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QMessageBox

from allxai_desktop.networks import registry
from allxai_desktop.networks.user import complete_card, remove_network, save_network
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.run_types import EpochRecord
from allxai_desktop.training.train_model import TrainModel

pytestmark = pytest.mark.slow


class FakeTrainer:
    """Ends its first epoch, waits at the `gate`, and then fails."""

    def __init__(self):
        self.gate = threading.Event()

    def train(self, request, watcher):
        watcher.epoch(EpochRecord(1, 4, 0.5, 0.75, None, None, 10.0, 30.0))
        watcher.step(0.0)
        assert self.gate.wait(20)
        watcher.step(0.1)
        raise AssertionError

    def resumable(self, folder):
        return False

    def starts(self, architecture):
        return []


@pytest.fixture
def window(show_window, user_networks):
    # Nobody is there to answer its question when it is closed.
    return show_window(before_close=_stop_run)


def _stop_run(window):
    model = window.training.model
    if model is not None and model.running:
        model._trainer.gate.set()
        model.cancel()


@pytest.fixture
def running(window, qtbot, tmp_path, monkeypatch):
    """The window with a run in its second epoch."""
    trainer = FakeTrainer()
    model = TrainModel(PRESETS, trainer, tmp_path / "runs", window.dispatch)
    monkeypatch.setattr("napari_allxai_train.window.new_model", lambda _dispatch: model)
    for seed, name in enumerate(("a/1", "a/2", "b/1", "b/2")):
        noise(tmp_path / "cells" / f"{name}.png", seed, (24, 24))
    window.train()
    model.data.open(tmp_path / "cells")
    qtbot.waitUntil(lambda: model.data.data is not None)
    model.choose(preset="two-conv-32", positive="b")
    model.start()
    qtbot.waitUntil(lambda: len(model.records) == 1)
    return SimpleNamespace(window=window, model=model, trainer=trainer)


def weights_and_card():
    from hashlib import sha256

    content = b"weights"
    given = {"sha256": sha256(content).hexdigest(), "input_size": [32, 32]}
    return complete_card("my-cells", "two-conv", ["a", "b"], given), content


def test_the_training_window_opens_by_its_key_and_keeps_the_language(window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    opened = window.training.train_window
    assert opened.isVisible()
    window.set_language("es")
    assert opened.panel.data_box.title.text() == "Imágenes"
    window.set_language("en")
    opened.close()
    window.train()
    assert window.training.train_window is opened
    assert opened.isVisible()


def test_the_images_to_learn_from_are_looked_for_beside_the_open_study(window, monkeypatch):
    window.settings.last_folder = "/data"
    window.training.open()
    starts = []

    def choose(_parent, _title, start, _options):
        starts.append(start)
        return ""

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    window.training.train_window.panel.data_box.ask_folder()
    assert starts == ["/data"]


def test_a_network_that_is_saved_is_offered_at_once(window, qtbot):
    window.comparing.open()
    card, weights = weights_and_card()
    threading.Thread(target=save_network, args=(card, "weights.safetensors", weights)).start()
    qtbot.waitUntil(lambda: "my-cells" in window.explain.cards)
    offered = [window.explain.network.itemText(row) for row in range(window.explain.network.count())]
    assert offered[-1] == "my-cells"
    assert window.session.choices.network == registry.DEFAULT_NETWORK
    assert "my-cells" in window.comparing.window.model.cards


def test_where_another_program_removed_the_chosen_network_the_first_one_explains(window, qtbot, tmp_path):
    card, weights = weights_and_card()
    save_network(card, "weights.safetensors", weights)
    qtbot.waitUntil(lambda: "my-cells" in window.explain.cards)
    Image.new("RGB", (24, 24), (200, 100, 100)).save(tmp_path / "cell.png")
    remove_network("my-cells")
    window.session.choose(network="my-cells")
    window.open_path(tmp_path / "cell.png")
    qtbot.waitUntil(lambda: window.session.result is not None, timeout=20_000)
    first = window.explain.cards[registry.DEFAULT_NETWORK]
    assert window.session.choices.network == first.name
    assert "my-cells" not in window.explain.cards
    said = f"The network “my-cells” is not there any more: “{first.title}” explains now."
    assert window.notices.text() == said


def test_the_status_line_says_how_far_a_run_is(running, qtbot):
    running.window.training.train_window.close()
    qtbot.waitUntil(
        lambda: running.window.status.training.text().startswith("Training: Epoch 2 of 4 · about")
    )


def test_a_run_that_ends_behind_a_closed_window_is_told(running, qtbot):
    running.window.training.train_window.close()
    running.trainer.gate.set()
    qtbot.waitUntil(lambda: not running.model.running)
    assert running.window.status.training.text() == ""
    assert running.window.notices.isVisible()
    assert running.window.notices.text() == running.model.error


def test_the_program_asks_before_it_stops_a_run(running, qtbot, monkeypatch):
    asked = []

    def answer(stop):
        def execute(box):
            asked.append(box.text())
            button = next(
                one
                for one in box.buttons()
                if (box.buttonRole(one) == QMessageBox.ButtonRole.DestructiveRole) == stop
            )
            button.click()

        return execute

    monkeypatch.setattr(QMessageBox, "exec", answer(False))
    assert not running.window.close()
    assert running.model.running
    monkeypatch.setattr(QMessageBox, "exec", answer(True))
    running.trainer.gate.set()
    assert running.window.close()
    assert asked == ["A network is being trained."] * 2


def test_an_image_that_was_misclassified_is_explained_by_its_network(window, qtbot, tmp_path):
    # Covered before it was ever drawn, the canvas would have no OpenGL context to put an image in.
    qtbot.wait(300)
    window.train()
    card, weights = weights_and_card()
    save_network(card, "weights.safetensors", weights)
    qtbot.waitUntil(lambda: "my-cells" in window.explain.cards)
    Image.new("RGB", (24, 24), (200, 100, 100)).save(tmp_path / "cell.png")
    window.training.model.explain_asked.emit(tmp_path / "cell.png", "my-cells")
    qtbot.waitUntil(lambda: window.session.result is not None, timeout=20_000)
    assert window.workspace.image.name == "cell.png"
    assert window.session.result.choices.network == "my-cells"
