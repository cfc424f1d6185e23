"""Shapley values of regions: games worked out by hand, then images, then a network."""

import itertools

import numpy as np
import pytest

from allxai_desktop.analyses.regions import BATCH, coalitions, explain_regions, region_shapley, shapley_values
from allxai_desktop.errors import AllxaiError
from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.user import complete_card
from allxai_desktop.removal import filling
from allxai_desktop.tasks import Cancelled

CLASSES = ("red", "green")


def game(players, worth):
    """The worth of each coalition, given as a set of the players' numbers."""
    return np.array([worth(set(np.flatnonzero(row))) for row in coalitions(players)], float)


# Games


def test_in_an_additive_game_each_gets_what_it_brings():
    worths = game(3, lambda who: sum((5.0, -2.0, 0.5)[player] for player in who) + 7)
    assert shapley_values(worths) == pytest.approx([5, -2, 0.5], abs=1e-12)


def test_what_two_bring_only_together_is_halved():
    assert shapley_values(game(2, lambda who: 6.0 * (who == {0, 1}))).tolist() == [3, 3]


def test_the_glove_game():
    # One left glove (player 0), two right ones; a pair is worth 1: known values 2/3, 1/6, 1/6.
    worths = game(3, lambda who: float(0 in who and bool(who & {1, 2})))
    assert shapley_values(worths) == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-12)


def test_who_changes_nothing_gets_nothing():
    worths = game(4, lambda who: float(len(who - {2})) ** 2)
    assert shapley_values(worths)[2] == 0


def test_the_mean_over_all_orders_of_joining_is_the_same():
    worths = np.random.default_rng(1).normal(size=32)
    gains = np.zeros(5)
    orders = list(itertools.permutations(range(5)))
    for order in orders:
        inside = 0
        for player in order:
            gains[player] += worths[inside | 1 << player] - worths[inside]
            inside |= 1 << player
    assert shapley_values(worths) == pytest.approx(gains / len(orders), abs=1e-12)
    assert shapley_values(worths).sum() == pytest.approx(worths[-1] - worths[0], abs=1e-12)


# Images


def cell():
    """4×4: nucleus (110, 0, 0) above, a row of cytoplasm (60, 0, 0), one of background (10, 20, 30)."""
    codes = np.array([[1] * 4, [1] * 4, [2] * 4, [5] * 4], np.uint8)
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[codes == 1], pixels[codes == 2], pixels[codes == 5] = (110, 0, 0), (60, 0, 0), (10, 20, 30)
    return pixels, codes


def sums(images):
    """Logits: the sum of the red channel, the sum of the green one."""
    return images[..., :2].sum((1, 2))


def test_a_sum_over_pixels_gives_each_region_its_difference_from_the_fill():
    found = region_shapley(*cell(), sums, CLASSES, "red")
    # Removed pixels are (10, 20, 30): 8 · (110 − 10), 4 · (60 − 10), 4 · 0.
    assert found.values == pytest.approx({"nucleus": 800, "cytoplasm": 200, "background": 0}, abs=1e-9)
    assert (found.logit, found.logit_all_removed) == (8 * 110 + 4 * 60 + 4 * 10, 16 * 10)
    assert found.fill == "background"


def test_a_product_of_two_regions_is_shared():
    found = region_shapley(
        *cell(), lambda images: np.stack([images[:, 0, 0, 0] * images[:, 2, 0, 0]] * 2, 1), CLASSES
    )
    # Worths with the fill of 10: none 100, nucleus 1100, cytoplasm 600, both 6600.
    assert found.values == pytest.approx({"nucleus": 3500, "cytoplasm": 3000, "background": 0}, abs=1e-9)


def test_without_a_target_it_is_the_predicted_class():
    found = region_shapley(*cell(), lambda images: -sums(images), CLASSES)
    assert found.target == found.predicted == "green"
    assert found.values["nucleus"] == pytest.approx(8 * 20, abs=1e-9)
    assert region_shapley(*cell(), sums, CLASSES, "green").predicted == "red"


def test_unlabelled_pixels_stay_in_every_image():
    pixels, codes = cell()
    codes[0] = 0
    seen = []
    found = region_shapley(pixels, codes, lambda images: (seen.extend(images), sums(images))[1], CLASSES)
    assert len(seen) == 8
    assert all(np.array_equal(image[0], pixels[0]) for image in seen)
    assert found.unlabelled_share == 0.25


def test_all_images_of_five_regions_come_in_small_batches():
    codes = np.kron(np.arange(1, 6, dtype=np.uint8), np.ones((20, 4), np.uint8))
    pixels = np.random.default_rng(2).integers(0, 256, (20, 20, 3), np.uint8)
    sizes, shares, images = [], [], set()

    def logits_of(batch):
        sizes.append(len(batch))
        images.update(image.tobytes() for image in batch)
        return sums(batch)

    region_shapley(pixels, codes, logits_of, CLASSES, progress=shares.append)
    assert sizes == [BATCH] * 4
    assert len(images) == 32
    assert shares == [0, 0.25, 0.5, 0.75, 1]


def test_it_can_be_cancelled_between_batches():
    sizes = []

    def progress(share):
        if share > 0.2:
            raise Cancelled

    codes = np.arange(25, dtype=np.uint8).reshape(5, 5) % 5 + 1
    with pytest.raises(Cancelled):
        region_shapley(
            np.zeros((5, 5, 3), np.uint8),
            codes,
            lambda images: (sizes.append(len(images)), sums(images))[1],
            CLASSES,
            progress=progress,
        )
    assert sizes == [BATCH]


def test_without_background_the_unlabelled_surroundings_stand_in():
    pixels, codes = cell()
    codes[codes == 5] = 0
    found = region_shapley(pixels, codes, sums, CLASSES, "red")
    assert found.fill == "surroundings"
    assert found.values == pytest.approx({"nucleus": 800, "cytoplasm": 200}, abs=1e-9)


def test_without_any_surroundings_it_is_the_blurred_image():
    pixels, codes = cell()
    codes[codes == 5] = 4
    found = region_shapley(pixels, codes, sums, CLASSES, "red")
    assert found.fill == "blur"
    assert found.logit_all_removed == filling(pixels, "blur")[..., 0].sum()


def test_one_region_alone_has_the_whole_difference():
    pixels = np.full((1, 1, 3), 9, np.uint8)
    found = region_shapley(pixels, np.ones((1, 1), np.uint8), sums, CLASSES, fill="blur")
    assert found.values == {"nucleus": 0.0}


# Wrong input


def test_a_mask_without_labels_says_what_to_do():
    with pytest.raises(AllxaiError, match="paint at least one"):
        region_shapley(cell()[0], np.zeros((4, 4), np.uint8), sums, CLASSES)


def test_an_unknown_class_names_those_that_there_are():
    with pytest.raises(AllxaiError, match="choose one of red, green"):
        region_shapley(*cell(), sums, CLASSES, "blue")


def test_logits_that_are_no_numbers_are_refused():
    with pytest.raises(AllxaiError, match="not numbers"):
        region_shapley(*cell(), lambda images: np.full((len(images), 2), np.nan), CLASSES)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        region_shapley(cell()[0], np.ones((4, 5), np.uint8), sums, CLASSES)


# A network


def toy_network(preprocessing=""):
    """Random weights: two convolutions with ReLU, input 32×32."""
    import torch
    from torch import nn

    from allxai_desktop.networks.network import Network

    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = nn.Sequential(
            nn.Conv2d(3, 8, 5, 2),
            nn.ReLU(),
            nn.Conv2d(8, 8, 5, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(200, 2),
        )
    card = parse_card(
        complete_card(
            "toy",
            "toy",
            ["dark", "bright"],
            {
                "input_size": [32, 32],
                "mean": [0.7, 0.6, 0.5],
                "std": [0.2, 0.3, 0.4],
                "cam_layer": "2",
                "sha256": "0" * 64,
                "preprocessing": preprocessing,
            },
        )
    )
    return Network(card, module)


@pytest.mark.parametrize("preprocessing", ["", "sharpened"])
def test_a_network_is_asked_about_the_images_that_one_would_make_and_resize_one_by_one(preprocessing):
    network = toy_network(preprocessing)
    random = np.random.default_rng(5)
    pixels = random.integers(0, 256, (50, 70, 3), np.uint8)
    codes = np.kron(random.integers(0, 6, (5, 7), np.uint8), np.ones((10, 10), np.uint8))
    filled = filling(pixels, "background", codes == 5)
    worths = []
    for kept in coalitions(5):
        stays = np.isin(codes, [0, *(np.flatnonzero(kept) + 1)])
        worths.append(network.logits([np.where(stays[..., None], pixels, filled)])[0, 1])
    found = explain_regions(network, pixels, codes, "bright")
    assert list(found.values.values()) == pytest.approx(
        shapley_values(np.array(worths, float)).tolist(), abs=2e-5
    )
    assert sum(found.values.values()) == pytest.approx(found.logit - found.logit_all_removed, abs=1e-12)
    assert (found.network, found.target) == ("toy", "bright")


def test_the_nucleus_speaks_most_for_a_lymphocyte(checkout):
    from allxai_desktop.images import read_image
    from allxai_desktop.masks.npz import load_mask
    from allxai_desktop.networks.registry import load_network
    from allxai_desktop.study.folder import Study

    study = Study.open(checkout / "resources" / "sample_study")
    item = next(item for item in study.items if item.stem == "LY_29912")
    image = read_image(item.image_path)
    codes = load_mask(item.mask_path, image).codes
    found = explain_regions(load_network("pbc-mobilenet-v1"), image.pixels, codes)
    assert found.target == "lymphocyte"
    assert max(found.values, key=found.values.__getitem__) == "nucleus"
    assert found.values["nucleus"] > 0.5 * (found.logit - found.logit_all_removed)


def test_the_image_is_resized_once_for_each_region_and_not_for_each_combination(monkeypatch):
    from allxai_desktop.networks import network as networks

    network = toy_network()
    calls = []
    resize = networks.resize
    monkeypatch.setattr(networks, "resize", lambda *given: (calls.append(1), resize(*given))[1])
    codes = np.kron(np.arange(1, 6, dtype=np.uint8)[None], np.ones((20, 4), np.uint8))
    explain_regions(network, np.full((20, 20, 3), 200, np.uint8), codes)
    assert len(calls) == 6
