from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from allxai_desktop.tasks import Cancelled
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.fit import Measured, Plan, fit
from allxai_desktop.training.optimisers import Optimiser
from allxai_desktop.training.run_types import Unwatched

PLAN = Plan(4, 4, Optimiser("adamw", 0.01, weight_decay=0.02), "cosine")


def _model() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(4, 2),
    )  # fmt: skip


class _Objective:
    """Dark and bright images; noise that depends on epoch and place only."""

    size = 13

    def batch(self, places, epoch):
        targets = torch.tensor([place % 2 for place in places])
        noise = [
            torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(100 * epoch + p)) for p in places
        ]
        return torch.stack(noise) + targets.view(-1, 1, 1, 1), targets

    def loss(self, outputs, targets):
        return functional.cross_entropy(outputs, targets)

    def accuracy(self, outputs, targets):
        return float((outputs.argmax(1) == targets).float().mean())

    def validate(self, answer):
        inputs, targets = self.batch(range(self.size), 77)
        outputs = answer(inputs)
        return Measured(float(self.loss(outputs, targets)), self.accuracy(outputs, targets))


class _StopAt(Unwatched):
    """Cancels in the middle of the epoch `number`, from 0."""

    def __init__(self, number):
        self.number, self.records = number, []

    def step(self, share):
        if len(self.records) == self.number and share > 0.4:
            raise Cancelled

    def epoch(self, record):
        self.records.append(record)


def _same(first: nn.Module, second: nn.Module) -> bool:
    other = second.state_dict()
    return all(torch.equal(tensor, other[name]) for name, tensor in first.state_dict().items())


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw", "adamax", "adadelta", "rmsprop"])
def test_a_run_broken_off_in_an_epoch_ends_with_the_same_weights_bit_for_bit(tmp_path, kind):
    plan = replace(PLAN, optimiser=Optimiser(kind, 0.01))
    whole = _model()
    fit(whole, _Objective(), plan, tmp_path / "whole.pt")
    with pytest.raises(Cancelled):
        fit(_model(), _Objective(), plan, tmp_path / "resumed.pt", _StopAt(2))
    torch.rand(7)  # what else draws random numbers must not matter
    resumed, watcher = _model(), _StopAt(99)
    fit(resumed, _Objective(), plan, tmp_path / "resumed.pt", watcher)
    assert [record.number for record in watcher.records] == [1, 2, 3, 4]
    assert _same(whole, resumed)


def test_the_running_mean_of_the_weights_is_measured_kept_and_resumed(tmp_path):
    plan = replace(PLAN, average=0.9)
    last, whole = _model(), _model()
    fit(last, _Objective(), PLAN, tmp_path / "last.pt")
    records = fit(whole, _Objective(), plan, tmp_path / "whole.pt")
    assert not _same(last, whole)
    inputs, targets = _Objective().batch(range(13), 77)
    with torch.inference_mode():
        loss = _Objective().loss(whole(inputs), targets)
    assert records[-1].validation_loss == pytest.approx(loss.item(), rel=1e-5)
    with pytest.raises(Cancelled):
        fit(_model(), _Objective(), plan, tmp_path / "resumed.pt", _StopAt(2))
    resumed = _model()
    fit(resumed, _Objective(), plan, tmp_path / "resumed.pt")
    assert _same(whole, resumed)


def test_the_running_mean_forgets_by_its_decay(tmp_path):
    class One(_Objective):
        size = 1

        def batch(self, places, epoch):
            return torch.ones(1, 1, 1, 1), torch.zeros(1)

        def loss(self, outputs, targets):
            return outputs.sum()

        def accuracy(self, outputs, targets):
            return 0.0

        def validate(self, answer):
            return None

    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 1, bias=False))
    nn.init.zeros_(model[1].weight)
    fit(model, One(), Plan(3, 1, Optimiser("sgd", 1.0), average=0.5), tmp_path / "a.pt")
    # The weights −1, −2, −3: the first is copied, then shares of 2/11 and 3/12 of what was kept.
    second = 2 / 11 * -1 + 9 / 11 * -2
    assert model[1].weight.item() == pytest.approx(3 / 12 * second + 9 / 12 * -3)


def test_another_seed_gives_other_weights(tmp_path):
    first, second = _model(), _model()
    fit(first, _Objective(), PLAN, tmp_path / "a.pt")
    fit(second, _Objective(), replace(PLAN, seed=1), tmp_path / "b.pt")
    assert not _same(first, second)


def test_bright_and_dark_are_learnt(tmp_path):
    model = _model()
    records = fit(
        model, _Objective(), replace(PLAN, epochs=30, optimiser=Optimiser("adam", 0.05)), tmp_path / "c.pt"
    )
    assert records[-1].validation_accuracy == 1.0
    assert records[-1].validation_loss < records[0].validation_loss
    assert not model.training


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    fit(_model(), _Objective(), PLAN, tmp_path / "a.pt")
    with pytest.raises(TrainingError, match="a run with other settings"):
        fit(_model(), _Objective(), replace(PLAN, batch=3), tmp_path / "a.pt")


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="is damaged: delete it"):
        fit(_model(), _Objective(), PLAN, tmp_path / "a.pt")


class _Short(nn.Module):
    """A network that runs out of memory on more than two images, as torch says it on a CPU."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.inner = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))
        self.most = 2

    def forward(self, x):
        if len(x) > self.most:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes.")
        return self.inner(x)


class _Noting(Unwatched):
    def __init__(self):
        self.notes = []

    def note(self, sentence):
        self.notes.append(sentence)


def test_where_memory_runs_out_gradients_are_added_up(tmp_path):
    plenty, short, watcher = _Short(), _Short(), _Noting()
    plenty.most = 99
    plan = replace(PLAN, batch=6, optimiser=Optimiser("sgd", 0.1))
    fit(plenty, _Objective(), plan, tmp_path / "a.pt")
    fit(short, _Objective(), plan, tmp_path / "b.pt", watcher)
    torch.testing.assert_close(short.inner[1].weight, plenty.inner[1].weight)
    assert watcher.notes == [
        "Memory ran out: from now on 3 images at a time, their gradients added up to batches of 6.",
        "Memory ran out: from now on 2 images at a time, their gradients added up to batches of 6.",
    ]


def test_memory_that_runs_out_beside_the_network_is_told_in_one_sentence(tmp_path):
    class Large(_Objective):
        def batch(self, places, epoch):
            raise MemoryError

    with pytest.raises(TrainingError, match="does not fit into memory: close other programs"):
        fit(_model(), Large(), PLAN, tmp_path / "a.pt")


@pytest.fixture
def scaled(monkeypatch):
    """Runs compute in float16 with scaled gradients, as on a card before 2020."""
    monkeypatch.setattr("allxai_desktop.training.fit.half_precision", lambda *_of, **_kind: torch.float16)


def test_a_run_with_scaled_gradients_resumes_bit_for_bit(tmp_path, scaled):
    whole, resumed = _model(), _model()
    fit(whole, _Objective(), PLAN, tmp_path / "whole.pt")
    with pytest.raises(Cancelled):
        fit(_model(), _Objective(), PLAN, tmp_path / "resumed.pt", _StopAt(2))
    assert torch.load(tmp_path / "resumed.pt")["scaler"]["scale"] == 65536
    fit(resumed, _Objective(), PLAN, tmp_path / "resumed.pt")
    assert _same(whole, resumed)


def test_a_run_that_began_without_scaled_gradients_goes_on_with_them(tmp_path, request):
    with pytest.raises(Cancelled):
        fit(_model(), _Objective(), PLAN, tmp_path / "a.pt", _StopAt(2))
    request.getfixturevalue("scaled")
    assert len(fit(_model(), _Objective(), PLAN, tmp_path / "a.pt")) == 4


def test_a_run_that_began_with_scaled_gradients_goes_on_without(tmp_path, monkeypatch, request):
    request.getfixturevalue("scaled")
    with pytest.raises(Cancelled):
        fit(_model(), _Objective(), PLAN, tmp_path / "a.pt", _StopAt(2))
    monkeypatch.setattr("allxai_desktop.training.fit.half_precision", lambda *_of, **_kind: None)
    assert len(fit(_model(), _Objective(), PLAN, tmp_path / "a.pt")) == 4


def test_an_error_that_is_not_about_memory_is_not_swallowed(tmp_path):
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="shapes"):
        fit(Wrong(), _Objective(), PLAN, tmp_path / "a.pt")


def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(tmp_path):
    class Worse(_Objective):
        """Validation gets worse after the second epoch, whatever is learnt."""

        def __init__(self):
            self.weights, self.losses = [], iter([3.0, 1.0, 2.0, 2.0, 2.0])

        def validate(self, answer):
            self.weights.append(model[0].weight.detach().clone())
            return Measured(next(self.losses), 0.5)

    model, objective = _model(), Worse()
    records = fit(model, objective, replace(PLAN, epochs=9, patience=2), tmp_path / "a.pt")
    assert [record.validation_loss for record in records] == [3.0, 1.0, 2.0, 2.0]
    assert torch.equal(model[0].weight, objective.weights[1])
    assert not torch.equal(model[0].weight, objective.weights[3])


def test_long_runs_are_announced(tmp_path, monkeypatch):
    times = iter(range(0, 10**6, 100))
    monkeypatch.setattr("allxai_desktop.training.fit.time.monotonic", lambda: float(next(times)))
    watcher = _Noting()
    fit(_model(), _Objective(), replace(PLAN, epochs=5, batch=3), tmp_path / "a.pt", watcher)
    # 100 s for the first three of four batches.
    assert watcher.notes == ["At this speed an epoch takes about 2 min, all 5 about 11 min."]
