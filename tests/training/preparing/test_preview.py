"""What a preset makes of an image: the pictures, and the model that draws them for the image in turn."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.training.classify import RandomSymmetries
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.preparing.preview import PreviewModel, preview, preview_pair
from allxai_desktop.training.presets import GREY_CNN, MODERN, PRESETS

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def titles(strip):
    return [picture.title for picture in strip.pictures]


def test_the_modern_recipe_shows_eight_random_views():
    shown, views = preview(MODERN, PIXELS, "a", 0)
    assert titles(shown) == ["original", "at 224×224"]
    assert {picture.pixels.shape for picture in views.pictures} == {(224, 224, 3)}
    assert len({picture.pixels.tobytes() for picture in views.pictures}) == 8


def test_the_grey_cnn_shows_its_preprocessing_step_by_step():
    shown, views = preview(GREY_CNN, PIXELS, "a", 0)
    assert titles(shown)[2:] == ["grey", "Gaussian 5 × 5", "sharpened"]
    assert all(np.ptp(picture.pixels, axis=2).max() == 0 for picture in shown.pictures[2:])
    assert len(views.pictures) == 8


def test_phase_1_of_the_thesis_shows_the_quarter_turns():
    preset = replace(PRESETS["thesis-1-vgg16"], side=20)
    _shown, views = preview(preset, PIXELS[:20, :20], "a", 0)
    expected = [np.rot90(PIXELS[:20, :20], turns) for turns in range(4)]
    assert all(
        np.array_equal(view.pixels, turned) for view, turned in zip(views.pictures, expected, strict=True)
    )


def test_random_symmetries_depend_on_the_seed():
    preset = replace(GREY_CNN, random=RandomSymmetries(), sharpened=False, side=20)
    first, again, other = (preview(preset, PIXELS[:20, :20], "a", seed)[1] for seed in (1, 1, 2))
    pictures = [[picture.pixels.tolist() for picture in strip.pictures] for strip in (first, again, other)]
    assert pictures[0] == pictures[1] != pictures[2]


def test_a_preset_without_augmentation_shows_the_image_only():
    assert len(preview(PRESETS["two-conv-32"], PIXELS, "a", 0)) == 1


def test_a_mask_is_shown_beside_and_over_its_image():
    labels = np.zeros((20, 30), np.int32)
    labels[:, 15:] = 3
    given, _views, proposed = preview_pair(PRESETS["unet-nuclei"], PIXELS, labels, "masks/a.png", 0)
    assert titles(given) == ["image", "mask", "mask over the image"]
    assert np.array_equal(given.pictures[0].pixels, PIXELS)
    assert np.array_equal(given.pictures[1].pixels[..., 0] == 240, labels > 0)
    assert titles(proposed)[-2:] == ["proposed mask", "mask over the image"]
    assert len(preview_pair(PRESETS["unet-nuclei"], PIXELS, None, "", 0)) == 1


def test_five_classes_are_shown_in_their_colours_and_no_nuclei_proposed():
    labels = np.tile(np.array([1, 2, 3, 4, 5, 0], np.int32), (20, 5))
    given, _views = preview_pair(PRESETS["unet-five-classes"], PIXELS, labels, "masks/a.npz", 0)
    colours = [[240, 228, 66], [0, 158, 115], [86, 180, 233], [213, 94, 0], [0, 0, 0], [128, 128, 128]]
    assert given.pictures[1].pixels[0, :6].tolist() == colours


def test_the_views_of_an_image_and_its_mask_are_turned_together():
    labels = np.where(PIXELS[..., 0] > 128, 7, 0).astype(np.int32)
    preset = PRESETS["unet-nuclei"]
    strips = preview_pair(preset, PIXELS, labels, "masks/a.png", 0)
    assert [len(strip.pictures) for strip in strips[:2]] == [3, 8]
    assert strips[1].pictures[0].pixels.shape == (128, 128, 3)


def test_a_label_that_stands_for_no_class_is_told():
    labels = np.full((20, 30), 9, np.int32)
    with pytest.raises(AllxaiError, match="9"):
        preview_pair(PRESETS["unet-five-classes"], PIXELS, labels, "masks/a.png", 0)


class FakeTrainModel:
    choices_changed = Signal(object)

    def __init__(self, root, items):
        self.data = SimpleNamespace(root=root, usable=items)
        self.choices = SimpleNamespace(preset="two-conv-32", seed=0)
        self.preset = PRESETS["two-conv-32"]


@pytest.fixture
def setting(tmp_path, pump):
    for number in range(6):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    train = FakeTrainModel(tmp_path, [Item(f"{number}.png", "ab"[number // 3]) for number in range(6)])
    model = PreviewModel(train, pump)
    yield SimpleNamespace(train=train, model=model, pump=pump)
    model.close()


def test_nothing_is_drawn_while_nobody_looks(setting):
    setting.train.choices_changed.emit(setting.train.choices)
    assert setting.pump.calls.empty()
    assert setting.model.strips == []


def test_every_image_has_its_turn(setting):
    seen = []
    setting.model.changed.connect(lambda: seen.append(setting.model.file))
    setting.model.active = True
    for count in range(1, 7):
        setting.pump.until(lambda: len(seen) == count)  # noqa: B023
        setting.model.step(1)
    assert sorted(seen) == [f"{number}.png" for number in range(6)]


def test_a_broken_image_is_told(setting, tmp_path):
    Path(tmp_path / "0.png").write_bytes(b"")
    setting.model.active = True
    setting.pump.until(lambda: setting.model.error)
    assert "0.png" in setting.model.error


def test_without_images_there_is_nothing(setting):
    setting.model.active = True
    setting.pump.until(lambda: setting.model.strips)
    setting.train.data.usable = []
    setting.train.choices_changed.emit(setting.train.choices)
    assert (setting.model.strips, setting.model.file) == ([], "")
