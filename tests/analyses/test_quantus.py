"""Figures about maps against those of Quantus, made by `tests/golden/make_quantus.py`, where it is right.

Not here, because Quantus is not: the weighted `AttributionLocalisation` (it takes the size of the image from the wrong
axes, so that the figure depends on how many images are given), the area under a deletion curve (it begins after the
first removal, and grows with the number of steps) and SSIM within `MPRT` (of the pixels in one line, not of the map).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from allxai_desktop.analyses.faithfulness import (
    Score,
    block_numbers,
    order_by_relevance,
    replacement_curves,
)
from allxai_desktop.analyses.randomisation import last_layer, randomisation
from allxai_desktop.analyses.verdicts import outside_share, per_class
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.relevance import ClassShare, class_shares

Golden = dict[str, Any]
IMAGES = range(3)
FIRST, LAST = "0", "6"


@pytest.fixture(scope="module")
def golden() -> Golden:
    with np.load(Path(__file__).parents[1] / "golden" / "quantus.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def network(golden: Golden) -> nn.Module:
    """`network` of the generator."""
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(192, 4),
    )  # fmt: skip
    weights = {
        name.removeprefix("weights/"): torch.from_numpy(value)
        for name, value in golden.items()
        if name.startswith("weights/")
    }
    module.double().load_state_dict(weights)
    return module.eval()


def shares_by_class(golden: Golden, image: int, rule: str, **settings: float) -> list[ClassShare]:
    found = class_shares(golden["codes"][image], golden["maps"][image], rule, **settings)
    return [found[one.key] for one in CLASSES]


def agree(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.array(found, np.float64), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("figure", ["mass", "localisation"])
def test_share_of_the_positive_relevance(golden: Golden, image: int, figure: str) -> None:
    shares = shares_by_class(golden, image, "positive-mass")
    agree([share.relevant_share for share in shares], golden[figure][image])


@pytest.mark.parametrize("image", IMAGES)
def test_share_outside_the_cell(golden: Golden, image: int) -> None:
    codes, positive = golden["codes"][image].ravel(), golden["maps"][image].clip(0).ravel()
    outside = outside_share(per_class(codes, positive), per_class(codes))
    assert outside is not None
    red_cells_and_background = golden["mass"][image, 3:].sum()
    agree(outside.relevance, red_cells_and_background)


@pytest.mark.parametrize("image", IMAGES)
def test_share_of_the_strongest_tenth_and_its_enrichment(golden: Golden, image: int) -> None:
    shares = shares_by_class(golden, image, "top-q", q=0.1)
    agree([share.relevant_share for share in shares], golden["top"][image])
    agree([share.enrichment for share in shares], golden["influence"][image])


@pytest.mark.parametrize("image", IMAGES)
def test_part_of_a_region_among_as_many_strongest_pixels(golden: Golden, image: int) -> None:
    codes = golden["codes"][image]
    found = []
    for number, one in enumerate(CLASSES):
        area = (codes == one.code).mean()
        found.append(shares_by_class(golden, image, "top-q", q=float(area))[number].relevant_share)
    agree(found, golden["rank"][image])


@pytest.mark.parametrize("image", IMAGES)
def test_class_of_the_strongest_pixel(golden: Golden, image: int) -> None:
    shares = shares_by_class(golden, image, "top-q", q=1 / golden["maps"][image].size)
    agree([share.relevant for share in shares], golden["pointing"][image])


def score_of(network: nn.Module, target: int) -> Score:
    """Quantus was given the images as 0…1."""

    def score(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
        x = torch.from_numpy(np.stack(list(images)).transpose(0, 3, 1, 2) / 255)
        with torch.no_grad():
            return network(x).softmax(1)[:, target].numpy()

    return score


def curve(
    golden: Golden, network: nn.Module, image: int, before: NDArray[Any], after: NDArray[Any], grid: int
) -> NDArray[np.float64]:
    """Block by block, with the image itself."""
    blocks = block_numbers(*before.shape[:2], grid=grid)
    order = order_by_relevance(golden["maps"][image], blocks)
    score = score_of(network, int(golden["targets"][image]))
    return replacement_curves(score, before, after, blocks, [order], steps=grid**2)[0]


@pytest.mark.parametrize("image", IMAGES)
def test_deletion_pixel_by_pixel(golden: Golden, network: nn.Module, image: int) -> None:
    pixels = golden["images"][image]
    found = curve(golden, network, image, pixels, np.zeros_like(pixels), grid=24)
    agree(found[1:], golden["pixels/zero"][image])


@pytest.mark.parametrize("image", IMAGES)
def test_deletion_block_by_block(golden: Golden, network: nn.Module, image: int) -> None:
    found = curve(golden, network, image, golden["images"][image], golden["filled"][image], grid=12)
    agree(found[1:], golden["blocks/filled"][image])


@pytest.mark.parametrize("image", IMAGES)
def test_insertion_is_deletion_of_the_least_relevant_first_read_backwards(
    golden: Golden, network: nn.Module, image: int
) -> None:
    found = curve(golden, network, image, golden["filled"][image], golden["images"][image], grid=12)
    agree(found[-2::-1], golden["blocks/least-relevant-first"][image])


@pytest.mark.parametrize("image", IMAGES)
def test_likeness_to_the_maps_of_random_networks(golden: Golden, network: nn.Module, image: int) -> None:
    # Quantus draws other weights than we do, so its maps are given.
    maps = iter([*golden[f"randomisation_maps/{FIRST}"], *golden[f"randomisation_maps/{LAST}"]])
    found = randomisation(lambda _module, _progress: next(maps)[image], network, golden["maps"][image])
    agree([rank for rank, _ssim in found.all_layers], golden[f"randomisation/{FIRST}"][:, image])
    agree([rank for rank, _ssim in found.last_layer], golden[f"randomisation/{LAST}"][:, image])


def test_the_last_layer_is_the_first_that_quantus_makes_random(network: nn.Module) -> None:
    assert last_layer(network) == LAST
