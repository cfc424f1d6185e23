"""The card beside a network's weights: what it is, what it was trained on, what it was measured on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allxai_desktop.i18n import LANGUAGES, _, language
from allxai_desktop.networks.errors import NetworkError

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"
ONNX = "onnx"
"""What a card gives as architecture where the file holds the operations too."""
ONNX_FILE = "network.onnx"
MAX_CARD_BYTES = 2**20
SHARPENED = "sharpened"
PREPROCESSINGS = ("", SHARPENED)
# A larger input would not fit into the memory of an office computer with any architecture here.
MAX_SIDE = 2048
# How many statistics of an image the limits of a domain are about.
STATISTICS = 8


@dataclass(frozen=True)
class Card:
    """A network's card.

    `input_size` is (height, width) in pixels; the input is (pixels / 255 − `mean`) / `std`, one number
    a channel: three, or one for grey. `cam_layer` names the module whose output is the last spatial
    feature map; None where it is not known. `preprocessing` is "" or "sharpened" (see `network.sharpened`), which
    comes before `mean` and `std`. `domain` (empty where it is not known), `data`, `split`,
    `training` and `metrics` are kept as in the JSON file.
    """

    name: str
    titles: Mapping[str, str]
    architecture: str
    classes: tuple[str, ...]
    class_titles: Mapping[str, tuple[str, ...]]
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    cam_layer: str | None
    sha256: str
    licence: str
    domain: Mapping[str, Any]
    data: Mapping[str, Any]
    split: Mapping[str, Any]
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    departures_from_paper: tuple[str, ...]
    preprocessing: str = ""

    @property
    def title(self) -> str:
        """The network's name for people, in the current language."""
        return self.titles[language()]

    @property
    def domain_description(self) -> str:
        """What the network's images look like, in the current language."""
        if not self.domain:
            return _("The images that it was trained on are not known.")
        return str(self.domain["description"][language()])

    def class_title(self, key: str) -> str:
        """The name for people of the class `key`, in the current language."""
        return self.class_titles[language()][self.classes.index(key)]


def read_card(path: Path) -> Card:
    """Read and check a card. Raises `NetworkError`."""
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError("too large")
        return parse_card(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise NetworkError(
            _("The network card {path} cannot be read: install the network again.").format(path=path)
        ) from error
    except (ValueError, RecursionError) as error:
        raise NetworkError(
            _("The network card {path} is damaged ({reason}): install the network again.").format(
                path=path, reason=error
            )
        ) from error


def parse_card(raw: Any) -> Card:
    """Check the parsed JSON of a card. Raises `ValueError` naming the first key at fault."""
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    classes = _texts(raw, "classes")
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError("classes")
    titles = _object(raw, "title")
    class_titles = _object(raw, "class_titles")
    domain = _domain(raw)
    for code in LANGUAGES:
        _text(titles, code)
        if len(_texts(class_titles, code)) != len(classes):
            raise ValueError(f"class_titles.{code}")
    if not re.fullmatch(r"[0-9a-f]{64}", _text(raw, "sha256")):
        raise ValueError("sha256")
    mean = _numbers(raw, "mean", (1, 3))
    std = _numbers(raw, "std", (len(mean),))
    if min(std) <= 0:
        raise ValueError("std")
    return Card(
        name=_text(raw, "name"),
        titles=titles,
        architecture=_text(raw, "architecture"),
        classes=classes,
        class_titles={code: _texts(class_titles, code) for code in LANGUAGES},
        input_size=_input_size(raw),
        mean=mean,
        std=std,
        cam_layer=None if raw.get("cam_layer", "") is None else _text(raw, "cam_layer"),
        sha256=raw["sha256"],
        licence=_text(raw, "licence"),
        domain=domain,
        data=_object(raw, "data"),
        split=_object(raw, "split"),
        training=_object(raw, "training"),
        metrics=_object(raw, "metrics"),
        departures_from_paper=_texts(raw, "departures_from_paper"),
        preprocessing=_preprocessing(raw),
    )


def _preprocessing(raw: dict[str, Any]) -> str:
    found = raw.get("preprocessing", "")
    if found not in PREPROCESSINGS:
        raise ValueError("preprocessing")
    return str(found)


def _input_size(raw: dict[str, Any]) -> tuple[int, int]:
    size = raw.get("input_size")
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(type(side) is int and 0 < side <= MAX_SIDE for side in size)
    ):
        raise ValueError("input_size")
    return size[0], size[1]


def _domain(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what the card says of the domain: nothing, or a description in each language and maybe limits."""
    domain = _object(raw, "domain")
    if not domain:
        return domain
    description = _object(domain, "description")
    for code in LANGUAGES:
        _text(description, code)
    limits = domain.get("limits")
    if limits:
        if not isinstance(limits, dict):
            raise ValueError("limits")
        _numbers(limits, "near_black_share", (2,))
        _numbers(limits, "mean", (STATISTICS,))
        _numbers({"max_distance": [limits.get("max_distance")]}, "max_distance", (1,))
        rows = limits.get("precision")
        if not isinstance(rows, list) or len(rows) != STATISTICS:
            raise ValueError("precision")
        for row in rows:
            _numbers({"precision": row}, "precision", (STATISTICS,))
    return domain


def _object(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    if not isinstance(value, dict):
        raise ValueError(key)
    return value


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(key)
    return value


def _texts(raw: dict[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise ValueError(key)
    return tuple(value)


def _numbers(raw: dict[str, Any], key: str, counts: tuple[int, ...]) -> tuple[float, ...]:
    value = raw.get(key)
    if not isinstance(value, list) or len(value) not in counts:
        raise ValueError(key)
    if not all(type(number) in (int, float) and abs(number) < 1e6 for number in value):
        raise ValueError(key)
    return tuple(float(number) for number in value)
