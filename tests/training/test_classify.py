import numpy as np
import pytest
import torch

from allxai_desktop.training.classify import Classification, Look, RandomSymmetries
from allxai_desktop.training.preparing.augment import Augmentation
from allxai_desktop.training.preparing.copies import Copy
from allxai_desktop.training.preparing.views import View

PLAIN = Look((0.5,), (0.25,))
# Two grey images of 2 × 2.
GREY = np.array([[[[0, 51], [102, 255]]], [[[255, 255], [0, 0]]]], np.uint8)


def _learn(copies, look=PLAIN, pixels=GREY, labels=(0, 1), **settings):
    return Classification(pixels, labels, copies, [Copy(1)], look, **settings)


def test_inputs_are_normalised_and_seen_as_their_copy_says():
    objective = _learn([Copy(0), Copy(0, View(4)), Copy(1, View(1))])
    inputs, targets = objective.batch([0, 1, 2], 0)
    expected = [[[0, 0.2], [0.4, 1]], [[0.2, 0], [1, 0.4]], [[1, 0], [1, 0]]]
    torch.testing.assert_close(inputs[:, 0], (torch.tensor(expected) - 0.5) / 0.25)
    assert targets.tolist() == [0, 0, 1]


def test_random_symmetries_depend_on_epoch_and_place_only():
    pixels = np.arange(4 * 9, dtype=np.uint8).reshape(4, 1, 3, 3)
    look = Look((0.0,), (1.0,), RandomSymmetries(zoom=1.0))
    objective = _learn([Copy(i) for i in range(4)], look, pixels, (0, 1, 0, 1))
    together, _targets = objective.batch([0, 1, 2, 3], 5)
    alone, _targets = objective.batch([2], 5)
    assert torch.equal(together[2], alone[0])
    epochs = {tuple(objective.batch([2], epoch)[0].flatten().tolist()) for epoch in range(40)}
    assert len(epochs) == 8
    assert {tuple(sorted(seen)) for seen in epochs} == {tuple(sorted(alone.flatten().tolist()))}


def test_early_epochs_see_smaller_images_and_measuring_is_at_full_size():
    pixels = np.zeros((2, 3, 8, 8), np.uint8)
    look = Look((0.5,) * 3, (0.5,) * 3, Augmentation(), (4, 8))
    objective = _learn([Copy(0), Copy(1)], look, pixels)
    assert objective.batch([0, 1], 0)[0].shape == (2, 3, 4, 4)
    assert objective.batch([0, 1], 1)[0].shape == (2, 3, 8, 8)
    sizes = []

    def answer(inputs):
        sizes.append(tuple(inputs.shape))
        return torch.tensor([[2.0, 0.0]])

    measured = objective.validate(answer)
    assert sizes == [(1, 3, 8, 8)]
    assert measured.accuracy == 0.0
    assert measured.loss == pytest.approx(np.log(1 + np.e**2))


def test_balanced_each_class_has_the_same_weight():
    copies = [Copy(0), Copy(0), Copy(0), Copy(1)]
    even = torch.zeros(4, 2)
    targets = torch.tensor([0, 0, 0, 1])
    plain = _learn(copies).loss(even + torch.tensor([1.0, 0.0]), targets)
    balanced = _learn(copies, balanced=True).loss(even + torch.tensor([1.0, 0.0]), targets)
    right, wrong = np.log(1 + np.exp(-1)), np.log(1 + np.exp(1))
    assert float(plain) == pytest.approx((3 * right + wrong) / 4)
    assert float(balanced) == pytest.approx((right + wrong) / 2)


def test_without_a_validation_part_nothing_is_measured():
    objective = Classification(GREY, [0, 1], [Copy(0)], [], PLAIN)
    assert objective.validate(lambda inputs: inputs) is None
