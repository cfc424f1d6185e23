import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.user import complete_card
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.mask_classes import ANNOTATOR, IGNORED, NUCLEI
from allxai_desktop.training.fit import Plan, fit
from allxai_desktop.training.optimisers import Optimiser
from allxai_desktop.training.preparing.pairs import PairAugmentation
from allxai_desktop.training.segment import (
    Segmentation,
    drawn_dice,
    measure_segmentation,
    segmentation_loss,
)


def _logits(shares: list[list[float]]) -> torch.Tensor:
    """Logits (1, 2, 1, w) whose softmax is, for each pixel, its row."""
    return torch.tensor(shares).T.log()[None, :, None]


def test_the_loss_is_cross_entropy_and_soft_dice():
    truth = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    found = segmentation_loss(_logits([[0.75, 0.25], [0.5, 0.5]]), truth)
    entropy = -(math.log(0.75) + math.log(0.5)) / 2
    background, nucleus = (2 * 0.75 + 1) / (1.25 + 1 + 1), (2 * 0.5 + 1) / (0.75 + 1 + 1)
    assert float(found) == pytest.approx(entropy + 1 - (background + nucleus) / 2)


def test_what_nobody_labelled_does_not_count():
    truth = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    wider = torch.tensor([[[0, 1, IGNORED]]], dtype=torch.uint8)
    rows = [[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]]
    assert segmentation_loss(_logits(rows), wider) == segmentation_loss(_logits(rows[:2]), truth)


def test_the_loss_of_a_batch_is_the_mean_of_its_images():
    logits = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    truth = (logits[:, 0] > 0.3).byte()
    alone = [segmentation_loss(logits[i : i + 1], truth[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(segmentation_loss(logits, truth), torch.stack(alone).mean())


def test_dice_is_of_the_classes_that_are_not_background():
    confusion = np.zeros((5, 5), np.int64)
    confusion[0, 0], confusion[0, 1], confusion[1, 1], confusion[4, 4] = 6, 2, 3, 100
    # Nucleus 12 / 14, cytoplasm 6 / 8; no vacuole, no red cell.
    assert drawn_dice(confusion, ANNOTATOR) == pytest.approx((12 / 14 + 6 / 8) / 2)
    assert drawn_dice(np.diag([9, 0]), NUCLEI) is None


def _objective(count: int = 6) -> Segmentation:
    random = np.random.default_rng(0)
    masks = np.zeros((count, 32, 32), np.uint8)
    for number, (row, column) in enumerate(random.integers(0, 20, (count, 2))):
        masks[number, row : row + 12, column : column + 12] = 1
    pixels = random.integers(0, 60, (count, 3, 32, 32), np.uint8) + 150 * masks[:, None]
    return Segmentation(
        pixels.astype(np.uint8), masks, list(range(count - 2)), [count - 2, count - 1], (0.5,) * 3, (0.5,) * 3,
        NUCLEI, PairAugmentation(crop=16, stain=0.0), seed=0,
    )  # fmt: skip


def test_a_batch_is_a_view_of_each_image_and_its_mask_on_the_networks_scale():
    inputs, masks = _objective().batch([3, 1], epoch=0)
    assert inputs.shape == (2, 3, 16, 16)
    assert masks.dtype == torch.uint8
    assert -1 <= inputs.min() < -0.5 < inputs.max() <= 1
    assert torch.equal(_objective().batch([1], epoch=0)[0], inputs[1:])


def test_accuracy_is_of_labelled_pixels():
    logits = torch.tensor([[[[1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]])
    targets = torch.tensor([[[0, 1, IGNORED]]], dtype=torch.uint8)
    assert _objective().accuracy(logits, targets) == 0.5


class _ByBrightness(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = x.mean(1)
        return 50 * torch.stack([-bright, bright], 1)


def test_validation_measures_whole_images():
    found = _objective().validate(_ByBrightness())
    assert found is not None
    assert found.dice == found.accuracy == 1.0
    assert found.loss < 0.01
    assert replace(_objective(), val=[]).validate(_ByBrightness()) is None


def test_a_network_learns_to_draw(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    records = fit(model, _objective(), Plan(12, 4, Optimiser("adam", 0.05)), tmp_path / "last.pt")
    assert records[-1].validation_dice > 0.9
    assert records[-1].loss < records[0].loss / 2


def test_a_network_is_measured_on_images_at_their_own_size(tmp_path):
    truth = np.zeros((40, 24), np.uint8)
    truth[10:30, 6:18] = 1
    Image.fromarray(200 * truth).save(tmp_path / "a.png")
    Image.fromarray(5 * truth).save(tmp_path / "a_mask.png")
    given = {"input_size": [80, 48], "sha256": "0" * 64, "mean": [0.4] * 3, "std": [1.0] * 3}
    network = Network(parse_card(complete_card("n", "unet", NUCLEI.keys, given)), _ByBrightness())
    found = measure_segmentation(network, tmp_path, [Item("a.png", "", None, "a_mask.png")], NUCLEI)
    assert len(found) == 1
    assert found[0].sum() == 40 * 24
    assert drawn_dice(found[0], NUCLEI) > 0.97


def test_a_class_that_weighs_more_counts_more_in_the_cross_entropy():
    logits = torch.zeros(1, 2, 1, 2)
    truth = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    plain, weighted = segmentation_loss(logits, truth), segmentation_loss(logits, truth, (1.0, 3.0))
    # ln 2 at each of two pixels; the second counts three times.
    assert float(weighted - plain) == pytest.approx(np.log(2))
