"""Time of each explainer ÷ one forward and backward pass of the same network, beside other libraries.

Run: `python tests/benchmarks/bench_explain.py [RUNS] [NETWORK ...]` prints the table of the README. At (1, 3, 224, 224)
in float32, best of several, all in turn in one process. Weights are random with BatchNorm set to the images' own
statistics: the time depends on them only where numbers become too small for the processor's fast path. Passes take
no gradients of parameters. `all six` are Gradient, |Gradient|, Gradient×Input, Grad-CAM, LRP-z and Deep Taylor of one
image with shared passes, as the window computes them. The columns of zennit, captum and pytorch-grad-cam are filled
where those are installed. zennit has no rule for functional additions and concatenations: on GoogLeNet it does less.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from allxai_desktop.explainers.api import attribute, explain_passes
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.passes import Passes
from allxai_desktop.explainers.registry import EXPLAINERS, complete_settings, explainer
from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.networks.torchvision_ops import define_missing_schemas

NETWORKS = ("vgg16", "vgg19", "resnet18", "resnet50", "googlenet", "mobilenet-v1")
SIX = ("gradient", "abs-gradient", "gradient-x-input", "grad-cam", "lrp-z", "deep-taylor")
LIVE = [name for name, info in EXPLAINERS.items() if not info.on_demand]
GOALS = {
    "gradient": 1.1,
    "abs-gradient": 1.1,
    "gradient-x-input": 1.1,
    "grad-cam": 0.75,
    "layer-cam": 0.75,
} | dict.fromkeys(("lrp-z", "deep-taylor", "lrp-epsilon-plus-flat"), 1.8)
DEPTHWISE_GOAL = 2.2
SIX_GOAL = 5.5
Calls = dict[str, Callable[[], object]]


def network(name: str) -> nn.Module:
    """Return the architecture with random weights and BatchNorm at the statistics of random images."""
    torch.manual_seed(0)
    module = build(name, 8)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = None
    with torch.no_grad():
        module.train()(torch.randn(4, 3, 224, 224))
    return module.eval().requires_grad_(False)


def forward_and_backward(module: nn.Module, x: Tensor, target: int) -> None:
    """One forward pass and one backward pass to the input."""
    leaf = x.detach().requires_grad_()
    torch.autograd.grad(module(leaf)[0, target], leaf)


def ours(module: nn.Module, x: Tensor, target: int, layer: str) -> Calls:
    """Return our explainers, and the six of the papers with shared passes."""
    calls: Calls = {}
    for method in LIVE:
        settings = {"layer": layer} if EXPLAINERS[method].takes_layer else {}
        calls[method] = partial(attribute, module, x, target, method, **settings)

    def six() -> None:
        passes = Passes(
            lambda folded: cached_graph(module, x.dtype, fold_norms=folded), x, layer=layer, shared=True
        )
        for method in SIX:
            explain_passes(passes, target, method, complete_settings(explainer(method), {}))

    return calls | {"all six": six}


def zennits(name: str, module: nn.Module, x: Tensor, target: int) -> Calls:
    """Return zennit's LRP-z, Deep Taylor and EpsilonPlusFlat, on a module that it may change."""
    define_missing_schemas()
    from zennit.attribution import Gradient
    from zennit.canonizers import SequentialMergeBatchNorm
    from zennit.composites import EpsilonPlusFlat, LayerMapComposite, layer_map_base
    from zennit.rules import Epsilon, ZPlus
    from zennit.torchvision import ResNetCanonizer
    from zennit.types import Linear

    canonizers = [ResNetCanonizer() if name.startswith("resnet") else SequentialMergeBatchNorm()]
    composites = {
        "lrp-z": LayerMapComposite([*layer_map_base(), (Linear, Epsilon())], canonizers=canonizers),
        "deep-taylor": LayerMapComposite(
            [*layer_map_base(), (Linear, ZPlus(zero_params="bias"))], canonizers=canonizers
        ),
        "lrp-epsilon-plus-flat": EpsilonPlusFlat(canonizers=canonizers),
    }
    one_hot = torch.eye(8)[[target]]

    def explain(composite: object) -> None:
        with Gradient(model=module, composite=composite) as attributor:
            attributor(x, lambda logits: one_hot * logits)

    return {method: partial(explain, composite) for method, composite in composites.items()}


def captums(module: nn.Module, x: Tensor, target: int, layer: str) -> Calls:
    """Return captum's gradients and Grad-CAM."""
    from captum.attr import InputXGradient, LayerGradCam, Saliency

    leaf = x.clone().requires_grad_()
    cam = LayerGradCam(module, module.get_submodule(layer))
    return {
        "gradient": lambda: Saliency(module).attribute(leaf, target, abs=False),
        "abs-gradient": lambda: Saliency(module).attribute(leaf, target),
        "gradient-x-input": lambda: InputXGradient(module).attribute(leaf, target),
        "grad-cam": lambda: cam.attribute(leaf, target, relu_attributions=True),
    }


def grad_cams(module: nn.Module, x: Tensor, target: int, layer: str) -> Calls:
    """Return those of pytorch-grad-cam."""
    from pytorch_grad_cam import GradCAM, LayerCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    leaf = x.clone().requires_grad_()
    made = {"grad-cam": GradCAM, "layer-cam": LayerCAM}
    cams = {method: kind(module, [module.get_submodule(layer)]) for method, kind in made.items()}
    return {method: partial(cam, leaf, [ClassifierOutputTarget(target)]) for method, cam in cams.items()}


def best(calls: Calls, runs: int) -> dict[str, float]:
    """Return the best of `runs` times of each call, in seconds, the calls taking turns."""
    for call in calls.values():
        call()
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(runs):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def measure(name: str, runs: int) -> None:
    """Print the rows of one network."""
    module, layer = network(name), ARCHITECTURES[name].cam_layer or ""
    x = torch.randn(1, 3, 224, 224)
    target = int(module(x).argmax())
    calls: Calls = {"bare": lambda: forward_and_backward(module, x, target)}
    calls |= {f"ours {method}": call for method, call in ours(module, x, target, layer).items()}
    if find_spec("zennit"):
        calls |= {
            f"zennit {method}": call for method, call in zennits(name, network(name), x, target).items()
        }
    if find_spec("captum"):
        calls |= {f"captum {method}": call for method, call in captums(module, x, target, layer).items()}
    if find_spec("pytorch_grad_cam"):
        calls |= {
            f"pytorch-grad-cam {method}": call
            for method, call in grad_cams(network(name), x, target, layer).items()
        }
    times = best(calls, runs)
    depthwise = any(isinstance(part, nn.Conv2d) and part.groups > 1 for part in module.modules())
    for method in (*LIVE, "all six"):
        cells = [f"{times[f'ours {method}'] / times['bare']:.2f}"]
        for other in ("zennit", "captum", "pytorch-grad-cam"):
            key = f"{other} {method}"
            cells.append(f"{times[key] / times['bare']:.2f}" if key in times else "–")
        goal = SIX_GOAL if method == "all six" else GOALS.get(method)
        if goal == 1.8 and depthwise:
            goal = DEPTHWISE_GOAL
        print(f"| {name} | {method} | {goal or '–'} | {' | '.join(cells)} |", flush=True)
    print(f"| {name} | forward and backward | | {1000 * times['bare']:.0f} ms | | | |", flush=True)


if __name__ == "__main__":
    print("| network | explainer | goal | AllXAI | zennit | captum | pytorch-grad-cam |")
    print("|---|---|---|---|---|---|---|")
    for chosen in sys.argv[2:] or NETWORKS:
        measure(chosen, int(sys.argv[1]) if len(sys.argv) > 1 else 15)
