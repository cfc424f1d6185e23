"""Following a module operation by operation, on a private copy of it."""

import gc
import weakref

import pytest
import torch
from small_networks import Lambda, with_statistics
from torch import nn

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.graph import UnsupportedOperation, cached_graph, trace
from allxai_desktop.explainers.registry import ExplainerError


def logits(x):
    return x.flatten(1)


def small_net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )


def test_logits_are_bit_for_bit_those_of_the_module_in_evaluation_mode():
    module = with_statistics(small_net()).float()
    x = torch.randn(2, 3, 5, 5)
    found = trace(module.train()).run(x)[0]
    assert torch.equal(found, module.eval()(x))


def test_the_module_keeps_its_mode_hooks_parameters_and_gradients():
    module = small_net().train()
    calls = []
    module[0].register_forward_hook(lambda *args: calls.append(args))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    graph = trace(module)
    graph.run(torch.randn(1, 3, 5, 5))
    assert calls == []
    assert len(module[0]._forward_hooks) == 1
    assert all(child.training for child in module.modules())
    assert module[2].inplace
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_weights_are_shared_not_copied():
    module = small_net()
    graph = trace(module)
    assert graph.calls[graph.layer("0")].weight.data_ptr() == module[0].weight.data_ptr()


def test_folded_batch_norm_gives_the_same_logits():
    module = with_statistics(small_net())
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    graph = trace(module, torch.float64, fold_norms=True)
    torch.testing.assert_close(graph.run(x)[0], module.eval()(x), rtol=1e-13, atol=1e-14)
    assert nn.BatchNorm2d not in {graph.key(node) for node in graph.nodes if node in graph.calls}


def test_folding_by_hand():
    """conv 2x + 1, then (y − 3)/√4·10 + 5, is 10x − 5."""
    module = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0), nn.Flatten()).requires_grad_(False)
    module[0].weight.fill_(2)
    module[0].bias.fill_(1)
    module[1].running_mean.fill_(3)
    module[1].running_var.fill_(4)
    module[1].weight.fill_(10)
    module[1].bias.fill_(5)
    graph = trace(module, fold_norms=True)
    folded = graph.calls[graph.layer("1")]
    assert (folded.weight.item(), folded.bias.item()) == (10, -5)


def test_a_layer_read_before_its_batch_norm_is_not_folded():
    conv, norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)

    def forward(self, x):
        y = self.conv(x)
        return logits(y + self.norm(y))

    graph = trace(Lambda(forward, conv=conv, norm=norm), fold_norms=True)
    assert nn.BatchNorm2d in {graph.key(node) for node in graph.nodes if node in graph.calls}


def test_a_layer_that_was_folded_away_names_the_one_to_ask_for():
    with pytest.raises(ExplainerError, match="“0” is computed together with “1”"):
        trace(small_net(), fold_norms=True).layer("0")


def test_a_value_overwritten_in_place_is_read_as_overwritten():
    module = Lambda(lambda self, x: self.keep(x, self.conv(x)), conv=nn.Conv2d(1, 2, 1))
    module.keep = lambda x, y: logits(torch.cat([nn.functional.relu(y, inplace=True), y.mul_(3), y], 1))
    x = torch.randn(1, 1, 3, 3)
    assert torch.equal(trace(module).run(x)[0], module(x))


def test_the_input_is_never_overwritten():
    x = torch.randn(1, 1, 3, 3)
    before = x.clone()
    trace(Lambda(lambda self, x: logits(x.mul_(2).relu_()))).run(x)
    assert torch.equal(x, before)


def test_an_alias_that_tracing_loses_is_refused():
    def forward(self, x):
        y = self.conv(x)
        alias = y
        y += 1
        return logits(y + alias)

    graph = trace(Lambda(forward, conv=nn.Conv2d(1, 1, 1)))
    with pytest.raises(UnsupportedOperation, match="gives other scores than when it runs"):
        graph.run(torch.randn(1, 1, 2, 2))


def test_a_path_that_depends_on_values_is_refused_and_placed():
    inner = Lambda(lambda self, x: x if x.sum() > 0 else -x)
    with pytest.raises(
        UnsupportedOperation, match=r"operations of 1 \(Lambda\) cannot be followed \(.*control flow"
    ):
        trace(nn.Sequential(nn.ReLU(), inner))


def test_an_operation_that_only_overwrites_is_named():
    with pytest.raises(UnsupportedOperation, match=r"overwrites values with fill_ \(fill_\)"):
        trace(Lambda(lambda self, x: x.fill_(1)))


def test_a_second_input_is_refused():
    class Two(nn.Module):
        def forward(self, x, y):
            return x + y

    with pytest.raises(UnsupportedOperation, match="other inputs than one batch of images"):
        trace(Two())


def test_inputs_with_defaults_take_them():
    class Scaled(nn.Module):
        def forward(self, x, factor=3, **others):
            return x.flatten(1) * factor

    assert torch.equal(trace(Scaled()).run(torch.ones(1, 1, 1, 2))[0], torch.tensor([[3.0, 3.0]]))


def test_a_path_may_depend_on_defaults():
    class Masked(nn.Module):
        def forward(self, x, mask=None, *, flat=True):
            x = x if mask is None else x * mask
            return x.flatten(1) if flat else x

    assert torch.equal(trace(Masked()).run(torch.ones(1, 1, 1, 2))[0], torch.ones(1, 2))


def test_a_network_that_takes_nothing_is_refused():
    class Nothing(nn.Module):
        def forward(self):
            return torch.ones(1, 2)

    with pytest.raises(UnsupportedOperation, match="other inputs than one batch of images"):
        trace(Nothing())


def test_an_output_that_is_no_logits_is_refused():
    with pytest.raises(ExplainerError, match="does not return logits"):
        trace(nn.Conv2d(1, 1, 1)).run(torch.ones(1, 1, 2, 2))


def test_another_number_of_channels_names_the_operation():
    with pytest.raises(ExplainerError, match=r"its operation Conv2d \(0\) failed .*3 channels"):
        trace(small_net()).run(torch.ones(1, 1, 5, 5))


def test_whatever_an_operation_raises_is_one_sentence():
    attention = Lambda(
        lambda self, x: self.layer(x[:, 0], x[:, 0], x[:, 0])[0], layer=nn.MultiheadAttention(4, 1)
    )
    with pytest.raises(ExplainerError, match=r"its operation MultiheadAttention \(layer\) failed"):
        trace(attention).run(torch.ones(1, 1, 2, 3))


def test_a_module_that_fails_only_when_it_runs_is_one_sentence():
    def forward(self, x):
        if isinstance(x, torch.Tensor):
            raise KeyError("batch")
        return x.flatten(1)

    with pytest.raises(ExplainerError, match=r"cannot take this image \('batch'\)"):
        trace(Lambda(forward)).run(torch.ones(1, 1, 2, 2))


def test_a_layer_without_a_feature_map_is_named_as_it_was_asked_for():
    with pytest.raises(ExplainerError, match="layer “0” has no feature map"):
        attribute(nn.Sequential(nn.Flatten()), torch.ones(1, 1, 1, 2), 0, "grad-cam", layer="0")


def test_an_unknown_layer_is_named():
    with pytest.raises(ExplainerError, match="no layer “layer9”"):
        trace(small_net()).layer("layer9")


def test_a_container_is_named_by_its_module():
    module = nn.Sequential(nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), nn.Flatten())
    graph = trace(module)
    assert graph.layer("0") is graph.layer("0.1")


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([nn.AdaptiveAvgPool2d(1)], "1"),
        ([nn.MaxPool2d(2), nn.Dropout(), nn.AdaptiveAvgPool2d(2)], "1"),
        ([nn.MaxPool2d(2), nn.Conv2d(2, 2, 1), nn.AdaptiveAvgPool2d(1)], "3"),
    ],
)
def test_the_last_feature_map_is_the_one_before_any_pooling(tail, expected):
    graph = trace(nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), *tail, nn.Flatten()))
    assert graph.last_spatial(torch.randn(1, 1, 6, 6)) is graph.layer(expected)


def test_no_feature_map_is_an_error():
    with pytest.raises(ExplainerError, match="no feature map of more than one cell"):
        trace(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))).last_spatial(torch.ones(1, 1, 2, 2))


def test_the_graph_of_an_unchanged_module_is_made_once():
    module = small_net()
    assert cached_graph(module, torch.float32) is cached_graph(module, torch.float32)
    assert cached_graph(module, torch.float32) is not cached_graph(module, torch.float64)


@pytest.mark.parametrize("fold_norms", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda module: module[0].weight.data.mul_(2),
        lambda module: setattr(module[6], "weight", nn.Parameter(torch.ones(2, 4))),
        lambda module: module[1].running_var.mul_(4),
        lambda module: module.__setitem__(2, nn.Tanh()),
        lambda module: setattr(module[0], "padding", (0, 0)),
    ],
)
def test_a_changed_module_is_explained_as_it_is_now(change, fold_norms):
    module = with_statistics(small_net()).float()
    x = torch.randn(1, 3, 5, 5)
    before = cached_graph(module, torch.float32, fold_norms=fold_norms).run(x)[0]
    with torch.no_grad():
        change(module)
        after = cached_graph(module, torch.float32, fold_norms=fold_norms).run(x)[0]
        torch.testing.assert_close(after, module.eval()(x))
        assert not torch.allclose(after, before)


def test_the_cache_does_not_keep_a_module_alive():
    module = small_net()
    cached_graph(module, torch.float32)
    gone = weakref.ref(module)
    del module
    gc.collect()
    assert gone() is None
