from dataclasses import replace

import pytest
import torch
from torch import nn

from allxai_desktop.training.augment import Augmentation, augment, change_stain
from allxai_desktop.training.fit import Plan, fit, predict_logits

PLAN = Plan(stages=((8, 2), (16, 2)), rate=0.01, batch=4)


def _model() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(4, 2),
    )  # fmt: skip


def _data() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(12) % 2
    pixels = torch.randint(0, 80, (12, 3, 16, 16), dtype=torch.uint8, generator=random)
    return pixels + (120 * labels).byte().view(-1, 1, 1, 1), labels


class _Broken(Exception):
    pass


def test_a_run_that_was_broken_off_ends_with_the_same_weights_bit_for_bit(tmp_path):
    pixels, labels = _data()
    whole, resumed = _model(), _model()
    fit(whole, pixels, labels, PLAN, tmp_path / "whole.pt")

    def break_off(epoch: int, loss: float) -> None:
        if epoch == 1:
            raise _Broken

    with pytest.raises(_Broken):
        fit(resumed, pixels, labels, PLAN, tmp_path / "resumed.pt", report=break_off)
    resumed = _model()
    epochs = []
    fit(
        resumed,
        pixels,
        labels,
        PLAN,
        tmp_path / "resumed.pt",
        report=lambda epoch, loss: epochs.append(epoch),
    )
    assert epochs == [2, 3]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_another_seed_gives_other_weights(tmp_path):
    pixels, labels = _data()
    first, second = _model(), _model()
    fit(first, pixels, labels, PLAN, tmp_path / "a.pt")
    fit(second, pixels, labels, replace(PLAN, seed=1), tmp_path / "b.pt")
    assert not torch.equal(first[0].weight, second[0].weight)


def test_bright_and_dark_are_learnt(tmp_path):
    pixels, labels = _data()
    model = _model()
    fit(model, pixels, labels, Plan(stages=((16, 40),), rate=0.05, batch=4), tmp_path / "c.pt")
    assert predict_logits(model, pixels, batch=5).argmax(1).tolist() == labels.tolist()


def test_an_augmentation_that_does_nothing_but_turn_keeps_an_even_image():
    pixels = torch.full((5, 3, 9, 9), 102, dtype=torch.uint8)
    still = Augmentation(zoom=1.0, shift=0.0, stain=0.0)
    views = augment(pixels, still, torch.Generator().manual_seed(0))
    torch.testing.assert_close(views, torch.full((5, 3, 9, 9), 0.4))


def test_the_stain_changes_in_optical_density_and_black_stays_black():
    images = torch.tensor([0.5, 0.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    doubled = change_stain(images, torch.full((1, 3), 2.0).log(), torch.zeros(1, 3))
    torch.testing.assert_close(doubled[0, 0, 0], torch.tensor([0.25, 0.0]))
    shifted = change_stain(images, torch.zeros(1, 3), torch.full((1, 3), 2.0).log())
    torch.testing.assert_close(shifted[0, 0, 0], torch.tensor([0.25, 0.0]))


def test_views_are_the_same_for_the_same_state_of_the_generator():
    pixels, _ = _data()
    views = [augment(pixels, Augmentation(), torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*views)
