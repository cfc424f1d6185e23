"""Forward passes that are made once and used by many."""

import torch
from torch import nn

from allxai_desktop.explainers.folding import Folded
from allxai_desktop.explainers.gradients import one_hot
from allxai_desktop.explainers.graph import trace
from allxai_desktop.explainers.passes import Passes


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(2, 3),
    ).eval()  # fmt: skip


class Counted:
    """Gives the graphs of a network and counts how often its convolution runs."""

    def __init__(self, module):
        self.graphs = {folded: trace(module, fold_norms=folded) for folded in (False, True)}
        self.runs = 0
        for graph in self.graphs.values():
            # What the first run compares with is no pass.
            graph.run(torch.zeros(1, 1, 4, 4))
            node = next(node for node in graph.calls if graph.key(node) is nn.Conv2d)
            call = graph.calls[node]
            self.counting(call.layer if isinstance(call, Folded) else call)

    def counting(self, conv):
        class Counting(nn.Conv2d):
            def forward(inner, x):
                self.runs += 1
                return super().forward(x)

        conv.__class__ = Counting

    def __call__(self, folded):
        return self.graphs[folded]


def first(logits):
    return one_hot(logits, torch.zeros(len(logits), dtype=torch.long))


def test_shared_passes_run_once_for_gradients_and_features():
    counted = Counted(net())
    passes = Passes(counted, torch.rand(1, 1, 4, 4), layer="2", shared=True)
    passes.slope(first)
    passes.features(first)
    passes.slope(lambda logits: -first(logits))
    assert counted.runs == 1


def test_other_passes_run_every_time():
    counted = Counted(net())
    passes = Passes(counted, torch.rand(1, 1, 4, 4), layer="2")
    passes.slope(first)
    passes.features(first)
    assert counted.runs == 2


def test_shared_features_are_those_of_a_pass_that_is_cut_there():
    graph, x = trace(net()), torch.rand(2, 1, 4, 4)
    shared, cut = (Passes(lambda _folded: graph, x, layer="2", shared=shared) for shared in (True, False))
    for one, other in zip(shared.features(first), cut.features(first), strict=True):
        assert torch.equal(one, other)


def test_a_shared_slope_follows_its_direction():
    graph = trace(net())
    passes = Passes(lambda _folded: graph, torch.rand(1, 1, 4, 4), shared=True)
    slope, _logits = passes.slope(first)
    opposite, _logits = passes.slope(lambda logits: -first(logits))
    assert torch.equal(opposite, -slope)
    assert torch.equal(passes.slope(first)[0], slope)


def test_logits_that_do_not_depend_on_the_image_have_no_slope():
    class Constant(nn.Module):
        def forward(self, x):
            return x.detach().flatten(1)

    passes = Passes(lambda _folded: trace(Constant()), torch.rand(1, 1, 2, 2))
    assert passes.slope(first)[0].tolist() == [[[[0, 0], [0, 0]]]]
