import torch

from allxai_desktop.training.preparing import batches as module
from allxai_desktop.training.preparing.batches import ahead, batches_of, parts_of


def test_a_last_image_alone_goes_with_the_batch_before():
    assert [len(places) for places in batches_of(range(13), 4)] == [4, 4, 5]
    assert [len(places) for places in batches_of(range(14), 4)] == [4, 4, 4, 2]
    assert batches_of(range(1), 4) == [[0]]


def test_small_batches_are_made_together_and_given_one_by_one(monkeypatch):
    # The first batch, of 12 numbers with 8 bytes, tells that two fit.
    monkeypatch.setattr(module, "_MADE_TOGETHER", 200)
    asked = []

    def make(places):
        asked.append(len(places))
        return torch.tensor(places) * 2, torch.tensor(places)

    batches = batches_of(range(70), 12)
    given = [
        (list(places), inputs.tolist(), targets.tolist())
        for places, (inputs, targets) in ahead(make, batches)
    ]
    assert given == [(places, [2 * place for place in places], places) for places in batches]
    assert asked == [12, 24, 24, 10]


def test_parts_are_of_nearly_one_size():
    inputs = torch.arange(7)
    assert [part.tolist() for part, _targets in parts_of(inputs, inputs, 3)] == [[0, 1, 2], [3, 4], [5, 6]]
    assert len(list(parts_of(inputs, inputs, 7))) == 1
