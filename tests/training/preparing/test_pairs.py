import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.mask_classes import IGNORED, NUCLEI
from allxai_desktop.training.preparing.pairs import PairAugmentation, augment_pairs, read_classes

PLAIN = PairAugmentation(crop=16, zoom=1.0, stain=0.0)


def _pair(count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks of 8 × 8, each of its own grey, which is its class too."""
    blocks = torch.arange(16, dtype=torch.uint8).view(1, 4, 4).repeat(count, 1, 1)
    masks = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    return (16 * masks)[:, None].repeat(1, 3, 1, 1), masks


def test_the_mask_turns_and_moves_with_its_image():
    pixels, masks = _pair(8)
    views, seen = augment_pairs(pixels, masks, PLAIN, seed=0, epoch=0, items=range(8))
    assert views.shape == (8, 3, 16, 16)
    assert seen.shape == (8, 16, 16)
    assert not torch.equal(seen[0], seen[1])
    # Bilinear and nearest differ on outlines only.
    shown = (255 / 16 * views[:, 0]).round()
    assert (shown == seen).float().mean() > 0.6
    assert (shown - seen).abs().median() == 0


def test_the_classes_of_a_mask_are_never_mixed():
    masks = 200 * (_pair()[1] % 2)
    _views, seen = augment_pairs(
        _pair()[0], masks, PairAugmentation(16, zoom=1.7), seed=0, epoch=0, items=[3]
    )
    assert set(seen.unique().tolist()) == {0, 200}


def test_a_view_depends_on_seed_epoch_and_item_only():
    pixels, masks = _pair(3)
    settings = PairAugmentation(16, grey=0.5, negative=0.5)
    whole, seen = augment_pairs(pixels, masks, settings, seed=1, epoch=2, items=[5, 0, 9])
    part, part_seen = augment_pairs(pixels[1:], masks[1:], settings, seed=1, epoch=2, items=[0, 9])
    assert torch.equal(whole[1:], part)
    assert torch.equal(seen[1:], part_seen)
    for seed, epoch, item in ((0, 2, 5), (1, 0, 5), (1, 2, 6)):
        other, _seen = augment_pairs(pixels[:1], masks[:1], settings, seed=seed, epoch=epoch, items=[item])
        assert not torch.equal(other, whole[:1])


def test_every_part_of_an_image_is_seen():
    pixels, masks = _pair()
    found = [augment_pairs(pixels, masks, PLAIN, seed=0, epoch=e, items=[0])[1].unique() for e in range(30)]
    assert set(torch.cat(found).tolist()) == set(range(16))


def test_a_crop_larger_than_the_image_is_the_image():
    views, seen = augment_pairs(*_pair(), PairAugmentation(crop=64), seed=0, epoch=0, items=[0])
    assert views.shape == (1, 3, 32, 32)
    assert seen.shape == (1, 32, 32)


def test_grey_and_negative_views():
    pixels = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    masks = torch.zeros(1, 8, 8, dtype=torch.uint8)
    settings = PairAugmentation(crop=8, stain=0.0, grey=1.0, negative=1.0)
    views, _seen = augment_pairs(pixels, masks, settings, seed=0, epoch=0, items=[0])
    # Black is 1/255, so that its optical density is a number.
    torch.testing.assert_close(views, torch.full((1, 3, 8, 8), 1 - 0.299 - 0.701 / 255))


def test_the_stain_changes_without_touching_the_mask():
    pixels = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    masks = torch.ones(1, 8, 8, dtype=torch.uint8)
    views, seen = augment_pairs(pixels, masks, PairAugmentation(8, stain=0.3), seed=0, epoch=0, items=[0])
    assert views.std((2, 3)).max() < 1e-6
    assert (views - 100 / 255).abs().min() > 1e-3
    assert torch.equal(seen, masks)


def test_dyes_take_from_one_channel_and_give_to_another():
    pixels = torch.tensor([255, 255, 100], dtype=torch.uint8).view(1, 3, 1, 1).repeat(20, 1, 8, 8)
    masks = torch.zeros(20, 8, 8, dtype=torch.uint8)
    settings = PairAugmentation(8, stain=0.0, dyes=0.5)
    views, _seen = augment_pairs(pixels, masks, settings, seed=0, epoch=0, items=range(20))
    density = -torch.log(views[:, :, 4, 4])
    # Blue keeps its own; up to half of it comes to the others, and what would be below nothing is nothing.
    torch.testing.assert_close(density[:, 2], torch.full((20,), -float(np.log(100 / 255))))
    assert 0 <= density[:, :2].min() < density[:, :2].max() <= 0.5 * density[0, 2]
    assert (density[:, :2] == 0).any()


def test_blur_keeps_the_sum_and_lowers_the_peak():
    pixels = torch.zeros(4, 3, 17, 17, dtype=torch.uint8)
    pixels[:, :, 8, 8] = 255
    masks = torch.zeros(4, 17, 17, dtype=torch.uint8)
    plain = PairAugmentation(17, zoom=1.0, stain=0.0)
    sharp, _seen = augment_pairs(pixels, masks, plain, seed=0, epoch=0, items=range(4))
    views, _seen = augment_pairs(pixels, masks, replace(plain, blur=2.0), seed=0, epoch=0, items=range(4))
    # Black is 1/255 here.
    torch.testing.assert_close(views.sum((2, 3)), sharp.sum((2, 3)), rtol=1e-3, atol=0)
    peaks = views.amax((1, 2, 3))
    assert 1 / (2 * np.pi * 2**2) < peaks.min() < 0.5
    assert peaks.unique().numel() > 1


def test_noise_is_no_stronger_than_said():
    pixels = torch.full((8, 3, 64, 64), 128, dtype=torch.uint8)
    masks = torch.zeros(8, 64, 64, dtype=torch.uint8)
    settings = PairAugmentation(64, stain=0.0, noise=0.1)
    views, _seen = augment_pairs(pixels, masks, settings, seed=0, epoch=0, items=range(8))
    deviations = views.std((1, 2, 3))
    assert 0 < deviations.min() < deviations.max() < 0.1 * 1.05


def test_a_mask_is_read_at_the_size_of_the_network(tmp_path):
    Image.fromarray(np.array([[0, 0, 300, 7]] * 2, np.uint16)).save(tmp_path / "a_mask.png")
    found = read_classes(tmp_path, Item("a.png", "", None, "a_mask.png"), (2, 2), NUCLEI)
    assert found.tolist() == [[0, 1], [0, 1]]


def test_an_image_without_mask_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"a\.png has no mask"):
        read_classes(tmp_path, Item("a.png", ""), (2, 2), NUCLEI)


def test_each_class_has_a_density_of_its_own_and_what_is_ignored_keeps_its():
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[:, :, 20:40], masks[:, :, 40:] = 1, IGNORED
    pixels = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    settings = PairAugmentation(64, zoom=1.0, stain=0.0, own=0.5)
    changed = 0
    for epoch in range(20):
        views, seen = augment_pairs(pixels, masks, settings, seed=0, epoch=epoch, items=[0])
        density = torch.log(views[0].mean(0)) / math.log(128 / 255)
        # The middle of each class: between two of them, the step is soft.
        inner = [
            torch.from_numpy(ndimage.binary_erosion(seen[0] == code, iterations=5))
            for code in (0, 1, IGNORED)
        ]
        one, two, kept = (density[middle] for middle in inner)
        assert kept == pytest.approx(1, abs=1e-3)
        for found in (one, two):
            assert found.max() - found.min() < 0.01
            assert math.exp(-0.7) < found.mean() < math.exp(0.7)
        changed += abs(float(one.mean() - two.mean())) > 1e-3
    assert 5 <= changed <= 18
