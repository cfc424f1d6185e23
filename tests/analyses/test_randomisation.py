"""Random copies of a network, and explainers that do or do not see its weights."""

import numpy as np
import pytest
import torch
from torch import nn

from allxai_desktop.analyses.randomisation import DRAWS, last_layer, random_copy, randomisation

RELEVANCE = np.arange(64, dtype=np.float32).reshape(8, 8)


def module():
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    made[1].running_mean.fill_(3.0)
    made[1].weight.data.fill_(2.0)
    return made.eval()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_weight_is_new_and_the_network_is_not_touched():
    own = module()
    before = {name: value.clone() for name, value in own.state_dict().items()}
    made = random_copy(own, 1)
    assert same(own.state_dict().values(), before.values())
    assert not torch.equal(made[0].weight, own[0].weight)
    assert not torch.equal(made[5].weight, own[5].weight)
    assert made[5].bias.tolist() == [0, 0]
    # BatchNorm as before any training.
    assert made[1].running_mean.tolist() == [0] * 4
    assert made[1].weight.tolist() == [1] * 4


def test_weights_have_the_size_that_keeps_the_signal():
    made = random_copy(nn.Linear(200, 300), 0)
    assert float(made.weight.detach().std()) == pytest.approx((2 / 200) ** 0.5, rel=0.02)


def test_the_same_seed_draws_the_same_network():
    own = module()
    assert same(random_copy(own, 3).parameters(), random_copy(own, 3).parameters())
    assert not torch.equal(random_copy(own, 3)[0].weight, random_copy(own, 4)[0].weight)


def test_drawing_leaves_the_random_numbers_of_others_alone():
    own = module()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    random_copy(own, 0)
    assert torch.equal(torch.rand(1), expected)


def test_only_one_layer_can_be_drawn():
    own = module()
    made = random_copy(own, 1, "5")
    assert torch.equal(made[0].weight, own[0].weight)
    assert torch.equal(made[1].running_mean, own[1].running_mean)
    assert not torch.equal(made[5].weight, own[5].weight)


def test_the_last_layer_is_the_last_that_is_run():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(3, 2)
            self.first = nn.Linear(4, 3)

        def forward(self, x):
            return self.last(self.first(x.flatten(1)))

    assert last_layer(module()) == "5"
    assert last_layer(Turned()) == "last"


def test_an_explainer_that_sees_no_weights_is_found_out():
    found = randomisation(lambda other, progress: RELEVANCE, module(), RELEVANCE)
    np.testing.assert_allclose(found.all_layers, [(1.0, 1.0)] * DRAWS)
    assert found.last_correlation == pytest.approx(1.0)


def test_maps_are_compared_by_size_not_by_sign():
    found = randomisation(lambda other, progress: -RELEVANCE, module(), RELEVANCE)
    assert found.all_correlation == pytest.approx(1.0)


def test_an_explainer_that_sees_the_weights_is_told_apart():
    own = module()

    def explain(other, progress):
        return RELEVANCE if torch.equal(other[0].weight, own[0].weight) else RELEVANCE.max() - RELEVANCE

    found = randomisation(explain, own, RELEVANCE)
    assert found.all_correlation == pytest.approx(-1.0)
    assert found.last_correlation == pytest.approx(1.0)


def test_where_the_map_is_undefined_another_network_is_drawn():
    answers = iter([None, RELEVANCE, None, RELEVANCE, RELEVANCE] + [None] * 100)
    found = randomisation(lambda other, progress: next(answers), module(), RELEVANCE)
    assert len(found.all_layers) == 3
    assert found.last_layer == ()
    assert found.last_correlation is None


def test_progress_goes_from_nothing_to_all():
    told = []
    randomisation(lambda other, progress: RELEVANCE, module(), RELEVANCE, told.append)
    assert told == pytest.approx([n / 6 for n in range(1, 7)])
