import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import windows
from PIL import Image

from allxai_desktop.files import WriteError
from allxai_desktop.images import read_image
from allxai_desktop.networks.network import open_network
from allxai_desktop.networks.registry import load_network
from allxai_desktop.networks.user import remove_network
from allxai_desktop.tasks import Cancelled
from allxai_desktop.training import checkpoint, classify_run
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.run import offer, train
from allxai_desktop.training.run_types import Request, Unwatched

pytestmark = pytest.mark.slow

CLASSES = ("atypical", "typical")
# Ends itself, as `kill -9` would, in the middle of the epoch after the second.
KILLED = """
import os, signal, sys
from pathlib import Path
from allxai_desktop.training.run import train
from allxai_desktop.training.run_types import Request, Unwatched
class Killed(Unwatched):
    epochs = 0
    def epoch(self, record):
        self.epochs += 1
    def step(self, share):
        if self.epochs == 2 and share > 0.5:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
train(Request("two-conv-32", Path(sys.argv[1]), Path(sys.argv[2]), epochs=4), Killed())
"""


@pytest.fixture
def data(tmp_path):
    """Ten dark and ten bright noisy images of 40 × 36 pixels."""
    random = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        folder = tmp_path / "cells" / name
        folder.mkdir(parents=True)
        for place in range(10):
            pixels = random.integers(0, 100, (40, 36, 3), np.uint8) + np.uint8(120 * number)
            Image.fromarray(pixels).save(folder / f"{place}.png")
    return tmp_path / "cells"


@pytest.fixture
def request_(data, tmp_path):
    return Request("two-conv-32", data, tmp_path / "run", epochs=4)


class _Notes(Unwatched):
    def __init__(self):
        self.notes, self.records = [], []

    def note(self, sentence):
        self.notes.append(sentence)

    def epoch(self, record):
        self.records.append(record)


def test_a_run_leaves_card_weights_report_pictures_and_curves(request_):
    result = train(request_)
    names = {path.name for path in request_.out.iterdir()}
    assert names == {
        "card.json", "weights.safetensors", "split.json", "run.json", "checkpoint.pt", "curves.csv", "evaluation.json",
        "evaluation.md",
        *(f"{name}.{kind}" for name in ("curves", "confusion", "roc", "reliability") for kind in ("png", "pdf")),
    }  # fmt: skip
    card = json.loads((request_.out / "card.json").read_text())
    assert card == json.loads(json.dumps(result.card))
    assert card["training"]["recipe"] == "not run to its end: 4 of 45 epochs"
    assert card["split"]["train"] == 16
    assert card["split"]["test"] == 4
    assert card["metrics"]["test"]["positive_class"] == "atypical"
    assert len((request_.out / "curves.csv").read_text().splitlines()) == 5


def test_nobody_looks_at_what_was_decoded_any_more_as_it_is_deleted(request_, monkeypatch):
    looked_at, found = windows.looked_at(monkeypatch, classify_run), []
    monkeypatch.setattr(classify_run, "delete_decoded", lambda _folder: found.append(looked_at()))
    train(replace(request_, epochs=1))
    assert found == [False]


def test_the_figures_are_those_of_the_network_that_was_written(request_):
    result = train(replace(request_, epochs=30, rate=0.02))
    network = open_network(request_.out)
    split = json.loads((request_.out / "split.json").read_text())["parts"]["test"]
    counts = np.zeros((2, 2), int)
    for entry in split:
        predicted = network.predict(read_image(request_.data / entry["file"]).pixels).predicted
        counts[CLASSES.index(entry["class"]), CLASSES.index(predicted)] += 1
    assert result.evaluation.confusion.tolist() == counts.tolist() == [[2, 0], [0, 2]]


def test_killed_in_an_epoch_and_resumed_it_ends_with_the_same_bytes(request_, data, tmp_path):
    train(request_)
    out = tmp_path / "killed" / "run"
    code = subprocess.run([sys.executable, "-c", KILLED, str(data), str(out)], check=False).returncode
    assert code != 0
    assert not (out / "card.json").exists()
    watcher = _Notes()
    train(replace(request_, out=out, resume=True), watcher)
    assert [record.number for record in watcher.records] == [1, 2, 3, 4]
    for name in ("weights.safetensors", "evaluation.json"):
        assert (out / name).read_bytes() == (request_.out / name).read_bytes()


def test_a_cancelled_run_is_resumed_only_when_asked(request_):
    class Cancelling(Unwatched):
        def step(self, share):
            raise Cancelled

    with pytest.raises(Cancelled):
        train(request_, Cancelling())
    watcher = _Notes()
    with pytest.raises(TrainingError, match="holds a run already: resume it"):
        train(request_, watcher)
    assert watcher.notes == []


def test_another_setting_on_resume_is_refused(request_):
    train(request_)
    with pytest.raises(TrainingError, match=r"another setting \(seed: 0, now 1\)"):
        train(replace(request_, resume=True, seed=1))


def test_changed_data_on_resume_are_refused(request_, data):
    train(request_)
    Image.new("RGB", (40, 36), (9, 9, 9)).save(data / "typical" / "3.png")
    with pytest.raises(TrainingError, match=r"has changed since the run began: other pixels: typical/3\.png"):
        train(replace(request_, resume=True))


def test_a_preset_for_another_number_of_classes_is_refused_before_images_are_read(request_, data):
    (data / "third").mkdir()
    (data / "third" / "no image.png").write_bytes(b"")
    with pytest.raises(
        TrainingError, match=r"is for 2 classes, but the data have 3 \(atypical, third, typical\)"
    ):
        train(request_)
    assert not request_.out.exists()


def test_a_broken_image_is_named_left_out_and_counted(request_, data):
    (data / "typical" / "broken.png").write_bytes(b"no image")
    watcher = _Notes()
    result = train(request_, watcher)
    left_out = next(note for note in watcher.notes if note.startswith("Images that cannot be used"))
    assert left_out.startswith(
        "Images that cannot be used and are left out: 1 (typical/broken.png). The first: broken"
    )
    assert result.card["data"] == {
        "name": "cells", "images": 20, "left_out": 1, "classes": {"atypical": 10, "typical": 10},
    }  # fmt: skip


def test_sizes_modes_and_equal_names_may_mix(request_, data):
    random = np.random.default_rng(1)
    Image.fromarray(random.integers(0, 90, (50, 64), np.uint8)).save(data / "atypical" / "grey.png")
    Image.fromarray(random.integers(0, 2**15, (33, 31), np.uint16)).save(data / "atypical" / "deep.png")
    Image.fromarray(random.integers(0, 256, (41, 40, 4), np.uint8)).save(data / "typical" / "0.tif")
    watcher = _Notes()
    result = train(request_, watcher)
    assert result.card["data"]["classes"] == {"atypical": 12, "typical": 11}
    assert any("sizes, from 31×33 to 64×50" in note for note in watcher.notes)


def test_an_empty_class_is_named(request_, data):
    (data / "third").mkdir()
    with pytest.raises(TrainingError, match=r"no images in .*third"):
        train(request_)


def test_without_copies_as_published_changes_nothing(request_):
    result = train(replace(request_, as_published=True, epochs=1))
    assert result.card["split"]["leaking"] is False


def test_too_few_images_to_hold_any_out_are_refused(request_, data):
    for name in CLASSES:
        for place in range(3, 10):
            (data / name / f"{place}.png").unlink()
    with pytest.raises(TrainingError, match="too few images to hold any out"):
        train(request_)


def test_the_positive_class_is_the_one_asked_for(request_):
    result = train(replace(request_, positive="typical"))
    assert result.evaluation.positive == "typical"
    with pytest.raises(TrainingError, match="positive class blue is none of the classes"):
        train(replace(request_, out=request_.out / "2", positive="blue"))


def test_figures_of_copies_made_before_the_split_are_marked(data, tmp_path):
    request = Request("grey-cnn", data, tmp_path / "leaking", epochs=1, as_published=True)
    with pytest.MonkeyPatch.context() as patch:
        _small(patch, "grey-cnn", side=94, copies=20)
        result = train(request)
    assert result.card["split"]["leaking"] is True
    assert (result.card["split"]["train"], result.card["split"]["val"], result.card["split"]["test"]) == (
        32,
        4,
        4,
    )
    assert "LEAKING" in (tmp_path / "leaking" / "evaluation.md").read_text()


def test_a_network_is_measured_on_what_the_program_shows_it(data, tmp_path):
    request = Request("grey-cnn", data, tmp_path / "grey", epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        _small(patch, "grey-cnn", side=94, copies=12)
        result = train(request)
    network = open_network(tmp_path / "grey")
    pixels = [read_image(data / file).pixels for file in result.answers.files]
    np.testing.assert_allclose(network.logits(pixels), result.answers.logits, rtol=0, atol=1e-6)
    assert network.card.preprocessing == "sharpened"
    assert not any("without the sharpening" in text for text in network.card.departures_from_paper)


def test_subjects_are_held_out_whole(data, tmp_path):
    request = Request(
        "two-conv-32", data, tmp_path / "subjects", groups=r"^\d", test_subjects=("3", "8"), epochs=1
    )
    result = train(request)
    assert sorted(result.answers.files) == [f"{name}/{place}.png" for name in CLASSES for place in (3, 8)]
    assert result.evaluation.groups == 2
    with pytest.raises(TrainingError, match="have no subject 77"):
        train(replace(request, out=tmp_path / "other", test_subjects=("77",)))


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(request_):
    with pytest.raises(
        TrainingError, match=r"In epoch 1 the loss was not a finite number; .* learning rate below 1e\+30"
    ):
        train(replace(request_, rate=1e30))


def test_a_full_disk_at_a_checkpoint_ends_the_run_and_the_former_one_goes_on(request_, monkeypatch):
    written, write = [], checkpoint.write_whole

    def full(path, content):
        if len(written) == 2:
            raise WriteError(
                "checkpoint.pt was not saved because the disk is full: free some space and save again."
            )
        write(path, content)
        written.append(path)

    monkeypatch.setattr(checkpoint, "write_whole", full)
    with pytest.raises(TrainingError, match=r"disk is full: .* goes on from its last checkpoint"):
        train(request_)
    monkeypatch.undo()
    watcher = _Notes()
    train(replace(request_, resume=True), watcher)
    assert len(watcher.records) == 4


def test_early_stopping_needs_a_validation_part(request_):
    with pytest.raises(TrainingError, match="two-conv-32 has no validation part"):
        train(replace(request_, patience=3))


def test_a_finished_network_is_offered_once_and_under_a_free_name(request_, tmp_path, user_networks):
    for seed, folder in enumerate((tmp_path / "run", tmp_path / "other" / "run")):
        folder.parent.mkdir(exist_ok=True)
        train(replace(request_, out=folder, seed=seed))
    assert [offer(tmp_path / "run"), offer(tmp_path / "other" / "run")] == ["run", "run-2"]
    assert open_network(user_networks / "run-2").card.name == "run-2"
    assert offer(tmp_path / "other" / "run") == "run-2"


def test_the_name_of_a_network_that_was_in_use_is_not_given_to_another(request_, tmp_path, user_networks):
    train(replace(request_, out=tmp_path / "run"))
    assert offer(tmp_path / "run") == "run"
    remove_network("run")
    assert offer(tmp_path / "run") == "run"
    load_network("run")
    remove_network("run")
    assert offer(tmp_path / "run") == "run-2"


def _small(patch, name, **changes):
    from allxai_desktop.training.presets import PRESETS

    patch.setitem(PRESETS, name, replace(PRESETS[name], **changes))
