"""`attribute` on networks small enough to work out by hand, and what it must leave alone."""

import copy
import threading

import pytest
import torch
from small_networks import image, three_neurons
from torch import nn

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerError
from allxai_desktop.networks.mobilenet import MobileNetV1


def conv_net():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("method", "expected"),
    # Both neurons fire at (1, 2): 3·(1, 2) − (−1, 1) = (4, 5).
    [("gradient", [4, 5]), ("abs-gradient", [4, 5]), ("gradient-x-input", [4, 10])],
)
def test_both_neurons_by_hand(method, expected, dtype):
    found = attribute(three_neurons(dtype), image(1, 2, dtype=dtype), 0, method)
    assert found.relevance.dtype == dtype
    assert found.relevance.flatten().tolist() == expected
    assert found.undefined == [None]


def test_a_silent_neuron_passes_nothing_back():
    # At (2, 1) only h1 fires: 3·(1, 2).
    assert attribute(three_neurons(), image(2, 1), 0, "gradient").relevance.flatten().tolist() == [3, 6]


def test_abs_gradient_drops_the_sign():
    assert attribute(three_neurons(), image(1, 2), 1, "gradient").relevance.flatten().tolist() == [-1, 1]
    found = attribute(three_neurons(), image(-2, 1), 1, "gradient-x-input")
    assert found.relevance.flatten().tolist() == [2, 1]


def test_each_image_of_a_batch_has_its_own_target():
    x = torch.cat([image(1, 2), image(1, 2), image(2, 1)])
    found = attribute(three_neurons(), x, [0, 1, 0], "gradient")
    assert found.relevance.flatten(1).tolist() == [[4, 5], [-1, 1], [3, 6]]
    assert torch.equal(
        attribute(three_neurons(), x, torch.tensor([0, 1, 0]), "gradient").relevance, found.relevance
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int32])
def test_targets_are_whole_numbers_of_any_size(dtype):
    x = torch.cat([image(1, 2), image(1, 2)])
    found = attribute(three_neurons(), x, torch.tensor([0, 1], dtype=dtype), "gradient")
    assert found.relevance.flatten(1).tolist() == [[4, 5], [-1, 1]]


def test_a_map_that_is_zero_everywhere_is_undefined():
    found = attribute(three_neurons(), torch.cat([image(2, 1), image(1, 2)]), 1, "gradient")
    assert found.undefined[0] == (
        "The map has the same value everywhere, so it shows nothing: choose another class or explainer."
    )
    assert found.undefined[1] is None


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_give_an_undefined_map_of_zeros(bad):
    module = three_neurons()
    with torch.no_grad():
        module[1].weight[0, 0] = bad
    for method in ("gradient", "gradient-x-input"):
        found = attribute(module, image(1, 2), 0, method)
        assert found.relevance.flatten().tolist() == [0, 0]
        assert "not finite numbers" in found.undefined[0]


def test_one_bad_image_does_not_spoil_the_others():
    found = attribute(three_neurons(), torch.cat([image(torch.nan, 1), image(1, 2)]), 0, "gradient-x-input")
    assert found.relevance.flatten(1).tolist() == [[0, 0], [4, 10]]
    assert found.undefined[0] is not None
    assert found.undefined[1] is None


def test_a_map_that_differs_by_rounding_only_is_undefined():
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([1, 1 + 2e-7, 1 - 2e-7, 1]))
    assert attribute(module, torch.ones(1, 1, 2, 2), 0, "gradient").undefined[0] is not None
    with torch.no_grad():
        module[1].weight[0, 0] = 1.001
    assert attribute(module, torch.ones(1, 1, 2, 2), 0, "gradient").undefined == [None]


def test_an_image_of_one_pixel_is_undefined():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    assert attribute(module, torch.ones(1, 3, 1, 1), 0, "gradient").undefined[0] is not None


@pytest.mark.parametrize("name", EXPLAINERS)
def test_conservation_has_a_number_only_where_it_is_promised(name):
    found = attribute(conv_net(), torch.randn(2, 3, 8, 8), [0, 1], name)
    assert found.conservation.shape == (2,)
    if not EXPLAINERS[name].promises_conservation:
        assert found.conservation.isnan().all()


@pytest.mark.parametrize("target", [2, -1, 0.5, True, [0, 1], "0", torch.tensor([0.0])])
def test_a_target_that_is_no_class_is_refused(target):
    with pytest.raises(ExplainerError, match="must be a class from 0 to 1"):
        attribute(three_neurons(), image(1, 2), target, "gradient")


@pytest.mark.parametrize(
    "inputs",
    [torch.ones(3, 4, 4), torch.ones(1, 1, 1, 2, dtype=torch.float16), torch.ones(0, 1, 1, 2), [[1.0]]],
)
def test_inputs_of_another_kind_are_refused(inputs):
    with pytest.raises(ExplainerError, match=r"float32 or float64 tensor \(N, C, H, W\)"):
        attribute(three_neurons(), inputs, 0, "gradient")


def test_a_float32_network_can_be_explained_in_float64():
    found = attribute(three_neurons(torch.float32), image(1, 2), 0, "gradient")
    assert found.relevance.dtype == torch.float64
    assert found.relevance.flatten().tolist() == [4, 5]


def test_the_preset_of_innvestigate_is_the_plain_gradient():
    plain = attribute(three_neurons(), image(1, 2), 0, "gradient")
    preset = attribute(three_neurons(), image(1, 2), 0, "gradient", preset="innvestigate")
    assert torch.equal(plain.relevance, preset.relevance)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_the_caller_s_gradient_mode_does_not_matter(context):
    with context():
        module, x = three_neurons(), image(1, 2)
        assert attribute(module, x, 0, "gradient").relevance.flatten().tolist() == [4, 5]
        assert attribute(conv_net(), torch.randn(1, 3, 8, 8), 0, "grad-cam").undefined == [None]


def test_the_gradient_is_autograd_s_own_bit_for_bit():
    torch.manual_seed(0)
    module = MobileNetV1(4).eval()
    x = torch.randn(1, 3, 64, 64, requires_grad=True)
    (expected,) = torch.autograd.grad(module(x)[0, 2], x)
    assert torch.equal(attribute(module, x, 2, "gradient").relevance, expected)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_the_module_and_the_inputs_are_untouched(name):
    module = conv_net().train()
    module(torch.randn(2, 3, 8, 8)).sum().backward()
    module[4].register_full_backward_hook(lambda *args: pytest.fail("the hook of another ran"))
    state = {key: value.clone() for key, value in module.state_dict().items()}
    grads = [parameter.grad.clone() for parameter in module.parameters()]
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    before = x.detach().clone()
    attribute(module, x, 1, name)
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
    assert all(torch.equal(p.grad, grad) for p, grad in zip(module.parameters(), grads, strict=True))
    assert all(child.training for child in module.modules())
    assert len(module[4]._backward_hooks) == 1
    assert torch.equal(x, before)
    assert x.grad is None


@pytest.mark.parametrize("name", EXPLAINERS)
def test_the_same_input_gives_the_same_map_bit_for_bit(name):
    module = conv_net()
    x = torch.randn(2, 3, 32, 32)
    first = attribute(module, x, [0, 2], name).relevance
    assert all(torch.equal(attribute(module, x.clone(), [0, 2], name).relevance, first) for _ in range(10))


@pytest.mark.slow
def test_two_threads_explain_while_a_third_predicts():
    module = conv_net().eval()
    x = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        logits = module(x).clone()
    expected = {name: attribute(module, x, 1, name).relevance for name in EXPLAINERS}
    stop = threading.Event()
    wrong = []

    def predict():
        try:
            while not stop.is_set():
                with torch.inference_mode():
                    if not torch.equal(module(x), logits):
                        wrong.append("prediction")
        except Exception as error:
            wrong.append(error)

    def explain():
        try:
            for _ in range(15):
                # A module of its own is traced anew, which must not reach the other threads. A copy: made from a
                # seed, its weights would depend on what the other thread draws meanwhile.
                other = copy.deepcopy(module)
                for name, relevance in expected.items():
                    if not torch.equal(attribute(module, x, 1, name).relevance, relevance):
                        wrong.append(name)
                    if not torch.equal(attribute(other, x, 1, name).relevance, relevance):
                        wrong.append(name)
        except Exception as error:
            wrong.append(error)

    predicting = threading.Thread(target=predict)
    explaining = [threading.Thread(target=explain) for _ in range(2)]
    for thread in (predicting, *explaining):
        thread.start()
    for thread in explaining:
        thread.join()
    stop.set()
    predicting.join()
    assert wrong == []
