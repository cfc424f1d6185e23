"""The command `allxai explain`."""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from allxai_desktop.analyses import compare_cli, regions_cli, trust_cli
from allxai_desktop.analyses.verdicts import map_doubt
from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerInfo, complete_settings, explainer
from allxai_desktop.files import make_folder, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import png_bytes, read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.networks.card import Card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.overlay import blend
from allxai_desktop.relevance import COLORMAPS, ClassShare, ShareCounter, percent, pixel_weights
from allxai_desktop.tasks import Progress, unwatched

if TYPE_CHECKING:
    from allxai_desktop.analyses.regions import RegionShapley
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.masks.npz import MaskFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what follows `allxai explain`."""
    parser.add_argument("image", metavar="IMAGE", type=Path)
    parser.add_argument(
        "--network", metavar="NAME", help=_("see “allxai networks”; the first one by default")
    )
    parser.add_argument(
        "--explainer",
        metavar="NAME",
        default="grad-cam",
        help=_("see “allxai explainers”; grad-cam by default"),
    )
    parser.add_argument(
        "--setting",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help=_("a setting of the explainer, as often as wanted"),
    )
    parser.add_argument(
        "--preset", metavar="NAME", help=_("the explainer as a source used it: matlab, innvestigate")
    )
    parser.add_argument(
        "--target", metavar="CLASS", help=_("the class to explain; the predicted one by default")
    )
    parser.add_argument(
        "--mask", metavar="FILE.npz", type=Path, help=_("the mask for the relevance by class")
    )
    regions_cli.add_arguments(parser)
    trust_cli.add_arguments(parser)
    compare_cli.add_rule_arguments(parser)
    parser.add_argument(
        "--colormap",
        metavar="NAME",
        help=_("the colours of the map and of red-channel: {names}").format(names=", ".join(COLORMAPS)),
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help=_("the folder for the results")
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON"))


def explain(options: argparse.Namespace) -> None:
    """Explain an image, write its map and overlay, and print what came of it. Raises `AllxaiError`."""
    # What can be refused in an instant is refused before torch is loaded.
    regions_cli.check(options)
    info = explainer(options.explainer)
    settings = _settings(info, options)
    colormap = _colormap(info, options)
    pixel_weights(np.zeros((1, 1), np.float32), options.rule, q=options.q, colormap=colormap)
    image = read_image(options.image)
    mask = load_mask(options.mask, image) if options.mask else None
    card = _card(options.network, options.target)
    make_folder(options.out)

    from allxai_desktop.explainers.explain import Explainer

    network = load_network(card.name)
    engine = Explainer(network)
    explanation = engine.explain(image.pixels, options.explainer, options.target, settings, _progress(info))
    found = _Found(
        image.name,
        card,
        explanation,
        options.rule,
        colormap,
        network.domain_warning(image.pixels),
        None if mask is None else _shares(mask, explanation, options, colormap),
        regions_cli.regions(options, network, image, mask, explanation.target),
        trust_cli.trust(options, engine, image, mask, explanation),
    )
    replaced = _write_results(options.out, image, card, explanation, colormap)
    if options.json:
        for note in replaced:
            print(note, file=sys.stderr)
        told = found.as_json()
        if info.on_demand or options.setting or options.preset:
            told["settings"] = explanation.settings
        print(json.dumps(_without_nan(told), indent=2, allow_nan=False))
    else:
        warnings = [mask and mask.warning, found.domain_warning, explanation.undefined]
        if found.trust is None:
            warnings.append(map_doubt(explanation))
        notes = (*image.notes, *warnings, *replaced)
        _print_result(found, [note for note in notes if note])


@dataclass(frozen=True)
class _Found:
    """What is told of one image; `shares` where there is a mask, `regions` and `trust` where they were asked for."""

    image: str
    card: Card
    explanation: Explanation
    rule: str
    colormap: str
    domain_warning: str | None
    shares: Mapping[str, ClassShare] | None
    regions: RegionShapley | None
    trust: trust_cli.Report | None

    def as_json(self) -> dict[str, Any]:
        explanation, shares = self.explanation, self.shares
        told: dict[str, Any] = {
            "image": self.image,
            "network": self.card.name,
            "domain_warning": self.domain_warning,
            "prediction": explanation.prediction.probabilities,
            "target": explanation.target,
            "logit": explanation.logit,
            "explainer": explanation.explainer,
            "undefined": explanation.undefined,
            "conservation": explanation.conservation,
            "map_warning": map_doubt(explanation),
            "seconds": explanation.seconds,
            "rule": self.rule,
            "colormap": self.colormap,
            "shares": None if shares is None else {key: asdict(share) for key, share in shares.items()},
        }
        if self.regions is not None:
            told["regions"] = asdict(self.regions)
        if self.trust is not None:
            told["trust"] = self.trust
        return told


def _colormap(info: ExplainerInfo, options: argparse.Namespace) -> str:
    name: str = options.colormap or info.default_colormap
    if name not in COLORMAPS:
        raise AllxaiError(
            _("There is no colour map {name}: choose {choices}.").format(
                name=name, choices=", ".join(COLORMAPS)
            )
        )
    return name


def _shares(
    mask: MaskFile, explanation: Explanation, options: argparse.Namespace, colormap: str
) -> dict[str, ClassShare]:
    weights = None
    if explanation.relevance is not None:
        weights = pixel_weights(explanation.relevance, options.rule, q=options.q, colormap=colormap)
    return ShareCounter(mask.codes, weights).shares()


def _settings(info: ExplainerInfo, options: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {} if options.preset is None else {"preset": options.preset}
    for pair in options.setting:
        key, equals, text = pair.partition("=")
        if not equals:
            raise AllxaiError(
                _("“{text}” is no setting: write it as KEY=VALUE, such as samples=500.").format(text=pair)
            )
        given[key] = info.settings[key].parsed(text) if key in info.settings else text
    return complete_settings(info, given)


def _progress(info: ExplainerInfo) -> Progress:
    """Return what tells a terminal how far an explainer on demand is."""
    if not (info.on_demand and sys.stderr.isatty()):
        return unwatched

    def tell(share: float) -> None:
        end = "\n" if share >= 1 else ""
        print(f"\r{_(info.title)}: {100 * share:3.0f} %", end=end, file=sys.stderr, flush=True)

    return tell


def _card(name: str | None, target: str | None) -> Card:
    cards = {card.name: card for card in list_networks()}
    if not cards:
        raise NetworkError(_("There is no trained network: install the program again."))
    name = name or next(iter(cards))
    if name not in cards:
        raise NetworkError(
            _("There is no network “{name}” that tells classes apart: choose one of {known}.").format(
                name=name, known=", ".join(cards)
            )
        )
    card = cards[name]
    if target is not None and target not in card.classes:
        raise NetworkError(
            _("The network {network} has no class “{name}”: choose one of {known}.").format(
                network=card.name, name=target, known=", ".join(card.classes)
            )
        )
    return card


def _write_results(
    folder: Path, image: CellImage, card: Card, explanation: Explanation, colormap: str
) -> list[str]:
    """Write the map and the overlay, where there is a map; say which other ones of their names are gone with that."""
    results: dict[str, bytes | None] = {"npz": None, "png": None}
    if explanation.relevance is not None:
        archive = io.BytesIO()
        np.savez_compressed(archive, relevance=explanation.relevance)
        # seismic is centred on zero, as in the rule of the same name.
        drawn = blend(image.pixels, explanation.relevance, signed=colormap == "seismic", colormap=colormap)
        results = {"npz": archive.getvalue(), "png": png_bytes(drawn)}
    replaced = []
    for ending, content in results.items():
        path = folder / f"{Path(image.name).stem}.{card.name}.{explanation.explainer}.{ending}"
        if _differs(path, content):
            replaced.append(_("{name} held another result, which is gone now.").format(name=path.name))
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_whole(path, content)
    return replaced


def _differs(path: Path, content: bytes | None) -> bool:
    try:
        return path.read_bytes() != content
    except OSError:
        return False


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_result(found: _Found, notes: list[str]) -> None:
    card, explanation = found.card, found.explanation
    for note in notes:
        print(_("Note: {text}").format(text=note))
    print(_("{network} sees:").format(network=card.title))
    ranked = sorted(explanation.prediction.probabilities.items(), key=lambda item: -item[1])
    for key, probability in ranked:
        print(f"  {100 * probability:5.1f} %  {card.class_title(key)}")
    print(
        _("{explainer} of {target}, {seconds:.2f} s").format(
            explainer=_(EXPLAINERS[explanation.explainer].title),
            target=card.class_title(explanation.target),
            seconds=explanation.seconds,
        )
    )
    if found.shares is not None:
        _print_shares(found.shares)
    if found.regions is not None:
        print("\n".join(regions_cli.table(found.regions, card.class_title(found.regions.target))))
    if found.trust is not None:
        print("\n".join(trust_cli.lines(found.trust)))


def _print_shares(shares: Mapping[str, ClassShare]) -> None:
    titles = {key: BY_KEY[key].title if key in BY_KEY else _("Unlabelled") for key in shares}
    width = max(map(len, titles.values()))
    heads = (_("pixels"), _("area"), _("relevance"), _("enrichment"))
    print(f"  {'':{width}}" + "".join(f"  {head:>{max(len(head), 8)}}" for head in heads))
    for key, share in shares.items():
        cells = (
            str(share.pixels),
            percent(share.area_share),
            percent(share.relevant_share),
            _ratio(share.enrichment),
        )
        columns = "".join(f"  {cell:>{max(len(head), 8)}}" for head, cell in zip(heads, cells, strict=True))
        print(f"  {titles[key]:{width}}{columns}")


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"×{value:.2f}"
