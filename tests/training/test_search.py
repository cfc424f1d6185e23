from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
import windows
from PIL import Image
from torch import nn
from torch.nn import functional

from allxai_desktop.training import classify_run
from allxai_desktop.training import search as module
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.fit import Plan
from allxai_desktop.training.optimisers import Optimiser
from allxai_desktop.training.run_types import Request, Unwatched
from allxai_desktop.training.search import HIGHEST, LOWEST, RangeTest, find_rate, range_test, search

PLAN = Plan(1, 4, Optimiser("sgd", 0.1))


class _Line:
    """Inputs 1, targets 3: the loss of a weight w is (w − 3)²."""

    size = 8

    def batch(self, places, epoch):
        return torch.ones(len(places), 1, 1, 1), torch.full((len(places), 1), 3.0)

    def loss(self, outputs, targets):
        return functional.mse_loss(outputs, targets)

    def accuracy(self, outputs, targets):
        return 0.0

    def validate(self, answer):
        return None


def _model() -> nn.Module:
    linear = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(linear.weight)
    return nn.Sequential(nn.Flatten(), linear)


def test_rates_rise_evenly_and_the_network_stays_as_it_was():
    model = _model()
    found = range_test(model, _Line(), PLAN, Unwatched(), steps=7)
    np.testing.assert_allclose(found.rates, np.geomspace(LOWEST, HIGHEST, 7))
    assert found.losses[0] == pytest.approx(9.0)
    assert found.losses[-1] < 9
    assert not model[1].weight.any()


def test_the_test_ends_where_the_loss_explodes():
    class Steep(_Line):
        def loss(self, outputs, targets):
            return 1e4 * functional.mse_loss(outputs, targets)

    found = range_test(_model(), Steep(), PLAN, Unwatched(), steps=60)
    # w is multiplied by 1 − 2 · 10⁴ · rate: beyond 10⁻⁴ the steps grow.
    assert 1e-4 < found.rates[-1] < 1e-2
    assert len(found.rates) < 60


def test_a_tenth_of_the_rate_with_the_lowest_loss_is_suggested():
    assert RangeTest([1e-3, 1e-2, 1e-1], [2.0, 1.0, 3.0]).suggested == 1e-3


def test_of_a_loss_that_only_trembles_no_rate_is_suggested():
    assert RangeTest([1e-3, 1e-2, 1e-1], [1.0, 0.99, 3.0]).suggested is None


@pytest.fixture
def request_(tmp_path):
    """Ten dark and ten bright noisy images."""
    random = np.random.default_rng(0)
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        for place in range(10):
            pixels = random.integers(0, 100, (32, 32, 3), np.uint8) + np.uint8(120 * number)
            Image.fromarray(pixels).save(tmp_path / name / f"{place}.png")
    return Request("two-conv-32", tmp_path, tmp_path / "run", epochs=3)


def test_every_pair_is_tried_and_the_best_comes_first(request_):
    trials = search(request_, rates=(1e-9, 0.02, 1e30), decays=(0.0, 0.01))
    assert {(trial.rate, trial.decay) for trial in trials} == {
        (rate, decay) for rate in (1e-9, 0.02, 1e30) for decay in (0.0, 0.01)
    }
    assert [trial.rate for trial in trials] == [0.02, 0.02, 1e-9, 1e-9, 1e30, 1e30]
    assert trials[-1].loss is None
    assert not request_.out.exists()


@pytest.mark.parametrize("look", [find_rate, lambda request: search(request, rates=(1e-3,), decays=(0.0,))])
def test_nobody_looks_at_the_decoded_images_any_more_as_their_folder_goes(request_, monkeypatch, look):
    looked_at, found = windows.looked_at(monkeypatch, classify_run), []

    class Folder(TemporaryDirectory):
        def cleanup(self):
            found.append(looked_at())
            super().cleanup()

    monkeypatch.setattr(module, "TemporaryDirectory", Folder)
    look(request_)
    assert found == [False]


def test_a_loss_that_is_no_number_at_once_is_told():
    class Broken(_Line):
        def loss(self, outputs, targets):
            return functional.mse_loss(outputs, targets) * float("nan")

    with pytest.raises(TrainingError, match="not a finite number from the first step"):
        range_test(_model(), Broken(), PLAN, Unwatched(), steps=7)
