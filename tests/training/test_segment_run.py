from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import windows
from PIL import Image
from safetensors.numpy import load_file

from allxai_desktop.networks.network import open_network
from allxai_desktop.training import segment_run, start
from allxai_desktop.training.datasets.data import TrainingError, read_data
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.run_types import EpochRecord, Request, Unwatched
from allxai_desktop.training.segment_run import labels_note, train_segmenter

pytestmark = pytest.mark.slow

NUCLEI = PRESETS["unet-nuclei"]
SMALL = replace(
    NUCLEI,
    side=32,
    at_least=0,
    plan=replace(NUCLEI.plan, epochs=2, batch=4, bfloat16=False),
    drawing=replace(NUCLEI.drawing, views=replace(NUCLEI.drawing.views, crop=16)),
)


@pytest.fixture
def data(tmp_path):
    """Twelve images with one bright square each, and masks that number it 1 and its lower half 2."""
    random = np.random.default_rng(0)
    folder = tmp_path / "nuclei"
    folder.mkdir()
    for number in range(12):
        labels = np.zeros((40, 36), np.uint8)
        row, column = random.integers(0, 20, 2)
        labels[row : row + 8, column : column + 14] = 1
        labels[row + 8 : row + 14, column : column + 14] = 2
        noise = random.integers(0, 60, (40, 36), np.uint8)
        Image.fromarray(noise + 150 * (labels > 0).astype(np.uint8)).save(folder / f"{number}.png")
        Image.fromarray(labels).save(folder / f"{number}_mask.png")
    return folder


def _request(data: Path, out: Path, **more) -> Request:
    return Request(NUCLEI.name, data, out, **more)


def test_a_run_leaves_a_network_with_card_report_and_pictures(data, tmp_path):
    result = train_segmenter(_request(data, tmp_path / "run", epochs=1), SMALL, Unwatched())
    names = {path.name for path in result.folder.iterdir()}
    assert names >= {
        "card.json",
        "weights.safetensors",
        "evaluation.json",
        "evaluation.md",
        "masks.png",
        "curves.csv",
    }
    assert not names & {"pixels.npy", "classes.npy", "statistics.npy"}
    network = open_network(result.folder)
    assert network.card.classes == ("background", "nucleus")
    assert network.card.class_titles["es"] == ("Fondo", "Núcleo")
    assert network.card.split == {
        "kind": network.card.split["kind"], "seed": 0, "leaking": False, "file": "split.json",
        "train": 10, "val": 1, "test": 1, "caution": network.card.split["caution"],
    }  # fmt: skip
    assert result.evaluation.images == 1
    # The image at its own size, not at that of the network.
    assert result.evaluation.confusion.sum() == 40 * 36
    of_nucleus = network.card.metrics["test"]["estimates"]["by_class"]["nucleus"]
    assert of_nucleus["dice_pooled"]["value"] == result.evaluation.of_class["nucleus"]["dice_pooled"].value
    assert set(network.card.metrics) == {"test", "validation"}
    assert network.card.training["recipe"] == "not run to its end: 1 of 2 epochs"
    assert str(tmp_path) not in (result.folder / "card.json").read_text(encoding="utf-8")


def test_nobody_looks_at_what_was_decoded_any_more_as_it_is_deleted(data, tmp_path, monkeypatch):
    looked_at, found = windows.looked_at(monkeypatch, segment_run), []
    monkeypatch.setattr(segment_run, "delete_decoded", lambda _folder: found.append(looked_at()))
    train_segmenter(_request(data, tmp_path / "run", epochs=1), SMALL, Unwatched())
    assert found == [False]


class _Broken(Exception):
    pass


class _BreakOff(Unwatched):
    """Breaks the run off in the middle of its second epoch."""

    epochs = 0

    def step(self, share: float) -> None:
        if self.epochs == 1 and share > 0:
            raise _Broken

    def epoch(self, record: EpochRecord) -> None:
        self.epochs = record.number


def test_a_run_that_was_broken_off_in_an_epoch_ends_with_the_same_weights(data, tmp_path):
    whole = train_segmenter(_request(data, tmp_path / "whole"), SMALL, Unwatched())
    with pytest.raises(_Broken):
        train_segmenter(_request(data, tmp_path / "broken"), SMALL, _BreakOff())
    resumed = train_segmenter(_request(data, tmp_path / "broken", resume=True), SMALL, Unwatched())
    first, second = (load_file(result.folder / "weights.safetensors") for result in (whole, resumed))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_changed_mask_is_refused_on_resume(data, tmp_path):
    with pytest.raises(_Broken):
        train_segmenter(_request(data, tmp_path / "run"), SMALL, _BreakOff())
    Image.new("L", (36, 40)).save(data / "3_mask.png")
    with pytest.raises(TrainingError, match=r"changed since the run began: other pixels: 3\.png"):
        train_segmenter(_request(data, tmp_path / "run", resume=True), SMALL, Unwatched())


def test_the_second_stage_goes_on_from_a_network(data, tmp_path):
    second = replace(SMALL, name="unet-nuclei-2", start=PRESETS["unet-nuclei-2"].start)
    with pytest.raises(TrainingError, match="goes on from a trained network"):
        train_segmenter(_request(data, tmp_path / "two"), second, Unwatched())
    first = train_segmenter(_request(data, tmp_path / "one"), SMALL, Unwatched())
    weights = str(first.folder / "weights.safetensors")
    plan = replace(SMALL.plan, epochs=1, optimiser=replace(SMALL.plan.optimiser, rate=0.0))
    result = train_segmenter(
        _request(data, tmp_path / "two", weights=weights), replace(second, plan=plan), Unwatched()
    )
    assert result.card["sha256"] == first.card["sha256"]
    assert result.card["training"]["start"] == "the weights of the file weights.safetensors"


def test_a_class_map_says_what_the_labels_of_the_masks_are(data, tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[classes]\nbackground = ["0", "2"]\nnucleus = ["1"]\n', encoding="utf-8")
    plan = replace(SMALL.plan, epochs=1)
    plain, mapped = (
        train_segmenter(
            _request(data, tmp_path / name, class_map=chosen), replace(SMALL, plan=plan), Unwatched()
        )
        for name, chosen in (("plain", None), ("mapped", path))
    )
    # Rows are the true classes: 14 × 14 pixels of both labels, 8 × 14 of the first.
    assert plain.evaluation.confusion[1].sum() == 14 * 14
    assert mapped.evaluation.confusion[1].sum() == 8 * 14
    assert mapped.card["data"]["class_map"] == "map.toml"
    assert "class_map" not in plain.card["data"]


def test_labels_that_are_classes_are_told(data):
    _root, items = read_data(data)
    assert len(labels_note(data, items)) == 1
    assert "labels 1, 2, which are all taken for nuclei" in labels_note(data, items)[0]
    for item in items:
        labels = np.asarray(Image.open(data / item.mask))
        # One label for all is no doubt, nor are many.
        Image.fromarray((labels > 0).astype(np.uint8)).save(data / item.mask)
    assert labels_note(data, items) == []
    Image.fromarray(np.arange(36 * 40, dtype=np.uint16).reshape(40, 36)).save(data / items[0].mask)
    assert labels_note(data, items) == []


def test_a_label_that_the_class_map_leaves_out_is_named_with_its_file(data, tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[classes]\nbackground = ["0"]\nnucleus = ["1"]\n', encoding="utf-8")
    with pytest.raises(TrainingError, match=r"_mask\.png: .*no class \(2\)"):
        train_segmenter(_request(data, tmp_path / "run", class_map=path), SMALL, Unwatched())


def test_what_is_downloaded_first_is_told(data, tmp_path, monkeypatch):
    told = []

    class Watching(Unwatched):
        def stage(self, title, share):
            told.append((title, share))

    def fetch(_name, _weights, progress):
        progress(0.5)
        raise TrainingError("No network.")

    monkeypatch.setattr(start, "fetch", fetch)
    with pytest.raises(TrainingError):
        train_segmenter(_request(data, tmp_path / "run"), SMALL, Watching())
    assert told == [("Downloading the ImageNet weights", 0.5)]


def test_nothing_is_made_before_the_split(data, tmp_path):
    with pytest.raises(TrainingError, match="nothing that is made before the split"):
        train_segmenter(_request(data, tmp_path / "run", as_published=True), SMALL, Unwatched())


def test_the_five_classes_learn_from_an_annotators_masks(tmp_path, data):
    from allxai_desktop.masks.npz import save_mask

    for number in range(12):
        codes = np.asarray(Image.open(data / f"{number}_mask.png")) + 4
        (data / f"{number}_mask.png").unlink()
        save_mask(data / f"{number}_mask.npz", np.where(codes == 6, 1, codes).astype(np.uint8))
    preset = replace(SMALL, name="unet-five-classes", drawing=PRESETS["unet-five-classes"].drawing)
    (data / "images").mkdir()
    (data / "masks").mkdir()
    for number in range(12):
        (data / f"{number}.png").rename(data / "images" / f"{number}.png")
        (data / f"{number}_mask.npz").rename(data / "masks" / f"{number}.npz")
    result = train_segmenter(_request(data, tmp_path / "run"), preset, Unwatched())
    assert result.card["classes"] == ["nucleus", "cytoplasm", "vacuole", "rbc", "background"]
    # Label 2 became nucleus, 1 background and 0 red cell.
    assert (result.evaluation.confusion.sum(axis=1) > 0).tolist() == [True, False, False, True, True]
