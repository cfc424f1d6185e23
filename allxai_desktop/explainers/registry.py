"""The explainers by name: what each shows and what can be set. Listing them does not import torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.relevance import default_colormap


class ExplainerError(AllxaiError):
    """An explanation that was asked for with a name, a setting, a target or an input that does not fit."""


@dataclass(frozen=True)
class Setting:
    """One setting of an explainer: English title, default, and the values it may take."""

    title: str
    default: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class ExplainerInfo:
    """One explainer.

    `title` and `summary` are English and marked for translation. `signed`: the map has negative
    values by design. `is_cam`: the map is coarse, one value per cell of the last feature map; `takes_layer`: it reads
    such a map. `promises_conservation`: its relevance sums to the logit, so ΣR / logit is worth showing;
    `biases_absorb`: less what the network's biases take, so that the ratio may be anything.
    `needs_positive_logit`: it is not defined for others. `takes_bounds`: it can use the lowest and the
    highest value that the input may have. `on_demand`: it takes many passes, so it is computed when asked for, with
    progress, and not live. `presets`: settings that reproduce what a source used, by the source's name.
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
    on_demand: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def default_colormap(self) -> str:
        """The colour map of the source papers for this kind of map."""
        return default_colormap(self.is_cam)


_SAME_AS_INNVESTIGATE: dict[str, dict[str, Any]] = {"innvestigate": {}}
_RULES = {"rules": Setting(N_("Rules"), "conserving", ("conserving", "innvestigate"))}
_RULE_PRESETS: dict[str, dict[str, Any]] = {"innvestigate": {"rules": "innvestigate"}}
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
    for key, value in given.items():
        choices = (
            info.presets if key == "preset" else info.settings[key].choices if key in info.settings else None
        )
        if choices is None:
            raise ExplainerError(
                _("{explainer} has no setting “{key}”; its settings are: {known}.").format(
                    explainer=_(info.title), key=key, known=", ".join(info.settings) or "–"
                )
            )
        if value not in choices:
            raise ExplainerError(
                _("The setting “{key}” of {explainer} cannot be “{value}”: choose one of {known}.").format(
                    key=key, explainer=_(info.title), value=value, known=", ".join(choices) or "–"
                )
            )
    chosen.update(info.presets[given["preset"]] if "preset" in given else {})
    return chosen | {key: value for key, value in given.items() if key != "preset"}
