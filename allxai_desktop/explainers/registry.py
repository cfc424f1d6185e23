"""The explainers by name: what each shows and what can be set. Listing them does not import torch."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.relevance import default_colormap


class ExplainerError(AllxaiError):
    """An explanation that was asked for with a name, a setting, a target or an input that does not fit."""


@dataclass(frozen=True)
class Setting:
    """One setting of an explainer: English title, default, and the values it may take.

    Those are the `choices`; without any, the numbers from `low` to `high`, whole ones if the default is an int.
    """

    title: str
    default: str | int | float
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0

    def takes(self, value: Any) -> bool:
        """Return whether the setting may have this value."""
        if self.choices:
            return value in self.choices
        kind = Integral if isinstance(self.default, int) else Real
        return (
            isinstance(value, kind) and not isinstance(value, bool) and self.low <= float(value) <= self.high
        )

    def parsed(self, text: str) -> Any:
        """Return the value that somebody typed; what is no number stays as it is, for `complete_settings` to refuse."""
        try:
            return type(self.default)(text)
        except ValueError:
            return text

    @property
    def allowed(self) -> str:
        """What to choose, for people."""
        if self.choices:
            return _("choose one of {known}").format(known=", ".join(self.choices))
        text = (
            _("choose a whole number from {low} to {high}")
            if isinstance(self.default, int)
            else _("choose a number from {low} to {high}")
        )
        return text.format(low=self.low, high=self.high)


@dataclass(frozen=True)
class ExplainerInfo:
    """One explainer.

    `title` and `summary` are English and marked for translation. `signed`: the map has negative
    values by design. `is_cam`: the map is coarse, one value per cell of the last feature map; `takes_layer`: it reads
    such a map. `promises_conservation`: its relevance sums to the logit, so ΣR / logit is worth showing;
    `biases_absorb`: less what the network's biases take, so that the ratio may be anything.
    `needs_positive_logit`: it is not defined for others. `takes_bounds`: it can use the lowest and the
    highest value that the input may have. `presets`: settings that reproduce what a source used, by the source's name.
    `passes`: about how many forward passes it takes with its settings (one with a backward pass counts for three), None
    for one that is live.
    """

    name: str
    title: str
    summary: str
    signed: bool
    is_cam: bool = False
    takes_layer: bool = False
    promises_conservation: bool = False
    biases_absorb: bool = False
    needs_positive_logit: bool = False
    takes_bounds: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    passes: Callable[[Mapping[str, Any]], int] | None = None

    @property
    def on_demand(self) -> bool:
        """Whether it takes so many passes that it is computed when asked for, with progress, and not live."""
        return self.passes is not None

    @property
    def default_colormap(self) -> str:
        """The colour map of the source papers for this kind of map."""
        return default_colormap(self.is_cam)


_SAME_AS_INNVESTIGATE: dict[str, dict[str, Any]] = {"innvestigate": {}}
_RULES = {"rules": Setting(N_("Rules"), "conserving", ("conserving", "innvestigate"))}
_RULE_PRESETS: dict[str, dict[str, Any]] = {"innvestigate": {"rules": "innvestigate"}}
_BASELINE = Setting(N_("Compared with"), "zero", ("zero", "blurred"))
_SEGMENTS = Setting(N_("Superpixels"), 60, low=2, high=1000)
_ALL = (
    ExplainerInfo(
        "gradient",
        N_("Gradient"),
        N_("How the class's score would move if a pixel grew a little brighter (Simonyan 2014)."),
        signed=True,
        presets=_SAME_AS_INNVESTIGATE,
    ),
    ExplainerInfo(
        "abs-gradient",
        N_("|Gradient|"),
        N_("How strongly the class's score depends on a pixel, whichever way it goes."),
        signed=False,
        presets=_SAME_AS_INNVESTIGATE,
    ),
    ExplainerInfo(
        "gradient-x-input",
        N_("Gradient × Input"),
        N_("What each pixel adds to the class's score or takes from it, to first order (Shrikumar 2016)."),
        signed=True,
        presets=_SAME_AS_INNVESTIGATE,
    ),
    ExplainerInfo(
        "grad-cam",
        N_("Grad-CAM"),
        N_("Which regions of the last feature map speak for the class: coarse, but stable (Selvaraju 2017)."),
        signed=False,
        is_cam=True,
        takes_layer=True,
        settings={"recipe": Setting(N_("Recipe"), "standard", ("standard", "matlab"))},
        presets={"standard": {"recipe": "standard"}, "matlab": {"recipe": "matlab"}},
    ),
    ExplainerInfo(
        "layer-cam",
        N_("LayerCAM"),
        N_("Grad-CAM with every cell of the feature map weighed on its own: a little finer (Jiang 2021)."),
        signed=False,
        is_cam=True,
        takes_layer=True,
    ),
    ExplainerInfo(
        "guided-grad-cam",
        N_("Guided Grad-CAM"),
        N_("The fine lines that speak for the class, inside the regions of Grad-CAM (Selvaraju 2017)."),
        signed=True,
        takes_layer=True,
    ),
    ExplainerInfo(
        "lrp-z",
        N_("LRP-z"),
        N_("How the class's score is made up of the pixels, layer by layer, biases included (Bach 2015)."),
        signed=True,
        promises_conservation=True,
        biases_absorb=True,
        settings=_RULES,
        presets=_RULE_PRESETS,
    ),
    ExplainerInfo(
        "lrp-epsilon-plus-flat",
        N_("LRP EpsilonPlusFlat"),
        N_("Like LRP-z, with rules chosen by layer that give calmer maps (Lapuschkin 2019)."),
        signed=True,
        promises_conservation=True,
        biases_absorb=True,
    ),
    ExplainerInfo(
        "deep-taylor",
        N_("Deep Taylor"),
        N_("Which pixels make up the class's score, by what speaks for it only (Montavon 2017)."),
        signed=False,
        promises_conservation=True,
        needs_positive_logit=True,
        takes_bounds=True,
        settings=_RULES,
        presets=_RULE_PRESETS,
    ),
    ExplainerInfo(
        "integrated-gradients",
        N_("Integrated Gradients"),
        N_("What each pixel adds to the class's score on the way from an empty image (Sundararajan 2017)."),
        signed=True,
        settings={"steps": Setting(N_("Steps"), 32, low=1, high=300), "baseline": _BASELINE},
        passes=lambda settings: 3 * settings["steps"],
    ),
    ExplainerInfo(
        "smoothgrad",
        N_("SmoothGrad"),
        N_("The gradient, averaged over noisy copies of the image: calmer (Smilkov 2017)."),
        signed=True,
        settings={
            "samples": Setting(N_("Noisy copies"), 25, low=1, high=1000),
            "noise": Setting(N_("Noise (share of the range)"), 0.1, low=0, high=1),
        },
        passes=lambda settings: 3 * settings["samples"],
    ),
    ExplainerInfo(
        "occlusion",
        N_("Occlusion"),
        N_("How far the class's score falls when a sliding window hides a part (Zeiler & Fergus 2014)."),
        signed=True,
        settings={
            "window": Setting(N_("Window (share of the side)"), 0.125, low=0.01, high=1),
            "baseline": _BASELINE,
        },
        passes=lambda settings: (math.ceil(2 / settings["window"]) - 1) ** 2,
    ),
    ExplainerInfo(
        "lime",
        N_("LIME"),
        N_("How a simple model rates each superpixel, fitted to images with some left out (Ribeiro 2016)."),
        signed=True,
        settings={
            "samples": Setting(N_("Samples"), 300, low=10, high=100_000),
            "segments": _SEGMENTS,
            "baseline": _BASELINE,
        },
        passes=lambda settings: settings["samples"],
    ),
    ExplainerInfo(
        "kernel-shap",
        N_("KernelSHAP"),
        N_("What each superpixel adds to the class's score: Shapley values, estimated (Lundberg 2017)."),
        signed=True,
        settings={
            "samples": Setting(N_("Samples"), 300, low=10, high=100_000),
            "segments": _SEGMENTS,
            "baseline": _BASELINE,
        },
        passes=lambda settings: settings["samples"],
    ),
)
EXPLAINERS: dict[str, ExplainerInfo] = {info.name: info for info in _ALL}


def explainer(name: str) -> ExplainerInfo:
    """Return the explainer called `name`. Raises `ExplainerError`."""
    if name not in EXPLAINERS:
        raise ExplainerError(
            _("There is no explainer “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(EXPLAINERS)
            )
        )
    return EXPLAINERS[name]


def complete_settings(info: ExplainerInfo, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` with the defaults of `info` for the rest; `preset` stands for the settings of a source.

    Raises `ExplainerError` for what the explainer does not know.
    """
    chosen = {key: setting.default for key, setting in info.settings.items()}
    known = dict(info.settings)
    if info.presets:
        known["preset"] = Setting("", "", tuple(info.presets))
    for key, value in given.items():
        if key not in known:
            raise ExplainerError(
                _("{explainer} has no setting “{key}”; its settings are: {known}.").format(
                    explainer=_(info.title), key=key, known=", ".join(info.settings) or "–"
                )
            )
        if not known[key].takes(value):
            raise ExplainerError(
                _("The setting “{key}” of {explainer} cannot be “{value}”: {allowed}.").format(
                    key=key, explainer=_(info.title), value=value, allowed=known[key].allowed
                )
            )
    chosen.update(info.presets[given["preset"]] if "preset" in given else {})
    return chosen | {key: value for key, value in given.items() if key != "preset"}
