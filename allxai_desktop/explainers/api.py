"""One call that explains any traceable network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from allxai_desktop.explainers.cam import grad_cam, guided_grad_cam, is_flat, layer_cam, resample
from allxai_desktop.explainers.gradients import Choose, Map, abs_gradient, gradient, gradient_x_input
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.lrp import deep_taylor, epsilon_plus_flat, lrp_z
from allxai_desktop.explainers.on_demand import integrated_gradients, kernel_shap, lime, occlusion, smoothgrad
from allxai_desktop.explainers.passes import Passes
from allxai_desktop.explainers.propagation import Bounds
from allxai_desktop.explainers.registry import ExplainerError, ExplainerInfo, complete_settings, explainer
from allxai_desktop.i18n import _
from allxai_desktop.tasks import Progress, unwatched

METHODS: dict[str, Callable[..., Map]] = {
    "gradient": gradient,
    "abs-gradient": abs_gradient,
    "gradient-x-input": gradient_x_input,
    "grad-cam": grad_cam,
    "layer-cam": layer_cam,
    "guided-grad-cam": guided_grad_cam,
    "lrp-z": lrp_z,
    "deep-taylor": deep_taylor,
    "lrp-epsilon-plus-flat": epsilon_plus_flat,
    "integrated-gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "occlusion": occlusion,
    "lime": lime,
    "kernel-shap": kernel_shap,
}


@dataclass(frozen=True)
class Attribution:
    """What `attribute` returns, for N images.

    `relevance` is (N, C, H, W), of a CAM (N, 1, H, W), and always finite. `conservation` (N,) is
    ΣR / logit, NaN where the method promises nothing about it or it has no value. `undefined` has
    for each image None, or a sentence that says why its map is not to be shown.
    """

    relevance: Tensor
    conservation: Tensor
    undefined: list[str | None]


@dataclass(frozen=True)
class Explained:
    """The maps of N images before any resampling (a CAM's is (N, 1, h, w)), with logits and targets."""

    relevance: Tensor
    logits: Tensor
    targets: Tensor
    conservation: Tensor
    undefined: list[str | None]


def attribute(
    module: nn.Module, inputs: Tensor, target: int | Sequence[int] | Tensor, method: str, **settings: Any
) -> Attribution:
    """Explain the logit of `target` (one class, or (N,)) for each of `inputs` (N, C, H, W), float32 or float64.

    `module` returns logits (N, classes); it is run in evaluation mode, without its hooks, on a private
    copy, and is not touched; the copy is kept until the module changes. `method` is a name in
    `EXPLAINERS` and `settings` are its own; `preset` chooses those of a source ("matlab",
    "innvestigate"). CAMs also take `layer`, a module's name (default: the last spatial feature map),
    Deep Taylor `bounds`, the lowest and the highest input as two tensors, each one number, one a
    channel, or of a shape that fits the inputs (default: no bounds).
    Raises `UnsupportedOperation` for a network that cannot be traced or has an operation without a
    rule, `ExplainerError` for anything else that does not fit.
    """
    _check_module(module)
    inputs = _checked_inputs(inputs)
    info = explainer(method)
    extra = {key: settings.pop(key, default) for key, default in _extra(info).items()}
    chosen = complete_settings(info, settings)
    with _recording():
        inputs = inputs.clone() if inputs.is_inference() else inputs.detach()
        bounds = extra.get("bounds")
        passes = Passes(
            lambda folded: cached_graph(module, inputs.dtype, fold_norms=folded),
            inputs,
            bounds=None if bounds is None else _checked_bounds(bounds, inputs),
            layer=extra.get("layer"),
        )
        found = explain_passes(passes, target, method, chosen, extra.get("progress", unwatched))
        relevance = found.relevance
        if info.is_cam:
            relevance = resample(relevance, (inputs.shape[2], inputs.shape[3]), recipe(chosen))
    return Attribution(relevance, found.conservation, found.undefined)


def explain_passes(
    passes: Passes,
    target: int | Sequence[int] | Tensor | None,
    method: str,
    settings: Mapping[str, Any],
    progress: Progress = unwatched,
) -> Explained:
    """Explain with complete `settings`; target None is the class with the highest logit.

    `progress` is for methods on demand. Raises `Cancelled` when that does.
    """
    info = explainer(method)
    choose = _chooser(target, len(passes.inputs))
    with _recording():
        if info.on_demand:
            relevance, logits, targets = METHODS[method](
                passes.graph, passes.inputs, choose, progress=progress, **settings
            )
        else:
            relevance, logits, targets = METHODS[method](passes, choose, **settings)
        logit = logits.gather(1, targets[:, None])[:, 0].double()
        broken = torch.tensor([not passes.finite or not bool(torch.isfinite(one).all()) for one in relevance])
        undefined = _reasons(
            relevance, logits, broken, refused=logit <= 0 if info.needs_positive_logit else logit.isnan()
        )
        relevance = relevance.masked_fill(broken.view(-1, 1, 1, 1), 0)
        conservation = torch.full((len(logits),), torch.nan, dtype=logits.dtype)
        if info.promises_conservation:
            ratio = relevance.double().sum((1, 2, 3)) / logit
            known = torch.tensor([reason is None for reason in undefined])
            conservation = torch.where(known, ratio, torch.nan).to(logits.dtype)
    return Explained(relevance, logits, targets, conservation, undefined)


def recipe(settings: Mapping[str, Any]) -> str:
    """Return how a CAM with these settings comes to the image's size."""
    return str(settings.get("recipe", "standard"))


def constant_map_reason() -> str:
    """Return the sentence for a map with one value everywhere."""
    return _("The map has the same value everywhere, so it shows nothing: choose another class or explainer.")


@contextmanager
def _recording() -> Iterator[None]:
    """Let autograd record, whatever the caller's mode is."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _extra(info: ExplainerInfo) -> dict[str, Any]:
    """Return the settings of `attribute` that are not those of the explainer, with their defaults."""
    extra: dict[str, Any] = {}
    if info.takes_layer:
        extra["layer"] = None
    if info.takes_bounds:
        extra["bounds"] = None
    if info.on_demand:
        extra["progress"] = unwatched
    return extra


def _check_module(module: Any) -> None:
    if not isinstance(module, nn.Module):
        raise ExplainerError(_("What is to be explained must be a torch.nn.Module that returns logits."))
    if any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        raise ExplainerError(_("The network's weights have no sizes yet: run it on an image first."))


def _checked_bounds(bounds: Any, inputs: Tensor) -> Bounds:
    try:
        low, high = (_spread(bound, inputs) for bound in bounds)
        fit = bool((low <= high).all() and torch.isfinite(high - low).all())
    except (TypeError, ValueError, RuntimeError):
        fit = False
    if not fit:
        raise ExplainerError(
            _(
                "The bounds must be the lowest and the highest value of the images, each one number or one for"
                " each of the {channels} channels."
            ).format(channels=inputs.shape[1])
        )
    return low, high


def _spread(bound: Any, inputs: Tensor) -> Tensor:
    """Return `bound`, one number, one a channel, or of the inputs' shape, at the inputs' shape."""
    bound = torch.as_tensor(bound, dtype=inputs.dtype)
    spread: Tensor = (bound.view(-1, 1, 1) if bound.ndim == 1 else bound).expand_as(inputs)
    return spread


def _checked_inputs(inputs: Tensor) -> Tensor:
    if (
        not isinstance(inputs, Tensor)
        or inputs.ndim != 4
        or inputs.numel() == 0
        or inputs.dtype not in {torch.float32, torch.float64}
        or inputs.layout is not torch.strided
    ):
        raise ExplainerError(_("The images to explain must be a float32 or float64 tensor (N, C, H, W)."))
    return inputs


def _chooser(target: int | Sequence[int] | Tensor | None, count: int) -> Choose:
    """Return what picks the targets (count,) once the number of classes is known."""

    def choose(logits: Tensor) -> Tensor:
        if target is None:
            return logits.detach().argmax(1)
        classes = logits.shape[1]
        try:
            targets = torch.as_tensor(target, device=logits.device)
        except (TypeError, ValueError, RuntimeError):
            targets = torch.tensor([])
        whole = not (targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool)
        targets = targets.long()
        if (
            not whole
            or targets.shape not in {(), (count,)}
            or not bool(((targets >= 0) & (targets < classes)).all())
        ):
            raise ExplainerError(
                _(
                    "The target must be a class from 0 to {last}, or one for each of the {count} images."
                ).format(last=classes - 1, count=count)
            )
        return targets.expand(count)

    return choose


def _reasons(relevance: Tensor, logits: Tensor, broken: Tensor, refused: Tensor) -> list[str | None]:
    """Return for each image why its map (C, H, W) is undefined, or None.

    `broken` (N,): by values that are not finite, of the map or the weights; `refused` (N,): by the size of its logit.
    """
    reasons: list[str | None] = []
    for no_map, own_logits, flat, bad in zip(broken, logits, is_flat(relevance), refused, strict=True):
        if bool(no_map) or not bool(torch.isfinite(own_logits).all()):
            reasons.append(
                _(
                    "The network's values are not finite numbers for this image: check its weights and the image."
                )
            )
        elif bool(bad):
            reasons.append(
                _(
                    "This explainer is not defined for a class whose score is zero or less: choose another class."
                )
            )
        elif bool(flat):
            reasons.append(constant_map_reason())
        else:
            reasons.append(None)
    return reasons
