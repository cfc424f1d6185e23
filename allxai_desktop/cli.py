"""The command `allxai`: opens the window, or explains an image without one."""

from __future__ import annotations

import argparse
import io
import json
import logging
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from PIL import Image

from allxai_desktop import __version__, cli_networks
from allxai_desktop.analyses import compare_cli, regions_cli, trust_cli
from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerInfo, complete_settings, explainer
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _, set_language, system_language
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.networks.card import Card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.overlay import blend
from allxai_desktop.proposing import bench_cli
from allxai_desktop.relevance import COLORMAPS, ClassShare, ShareCounter, pixel_weights
from allxai_desktop.study import study_cli
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training import masks_cli, train_cli

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage

log = logging.getLogger(__name__)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one sentence and exit code 2."""
        self.exit(
            2, _("{problem}: see “{command} --help”.").format(problem=message, command=self.prog) + "\n"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (those of the process when None) and return the exit code; 2 is an error."""
    set_language(system_language())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console that lacks a character shows a question mark instead of ending the program.
            stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in _COMMANDS:
            _summary, add_arguments, command = _COMMANDS[arguments[0]]
            parser = _Parser(prog=f"allxai {arguments[0]}", description=_summary())
            add_arguments(parser)
            command(parser.parse_args(arguments[1:]))
            return 0
        return _open_window(arguments)
    except AllxaiError as error:
        print(error, file=sys.stderr)
    except Exception as error:
        log.debug("Unexpected error", exc_info=True)
        text = _(
            "Something went wrong that this program did not foresee ({kind}: {reason}): please report it."
        )
        reason = " ".join(str(error).split())
        print(text.format(kind=type(error).__name__, reason=reason), file=sys.stderr)
    return 2


def _open_window(arguments: list[str]) -> int:
    commands = "\n".join(f"  allxai {name:<12} {summary()}" for name, (summary, *_rest) in _COMMANDS.items())
    parser = _Parser(
        prog="allxai",
        description=_(
            "Opens the window: on a study, a folder of images, one image, or else the sample study."
        ),
        epilog=_("Other commands (each has a --help of its own):") + "\n" + commands,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="?", metavar="STUDY_OR_IMAGE")
    parser.add_argument("--version", action="version", version=f"AllXAI Desktop {__version__}")
    path = parser.parse_args(arguments).path
    if path is not None and not Path(path).exists():
        raise AllxaiError(_("{name} was not found: give the path of a study or an image.").format(name=path))
    from allxai_desktop.app.main import run

    return run(path)


# allxai explain


def _add_explain_arguments(parser: argparse.ArgumentParser) -> None:
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


def _explain(options: argparse.Namespace) -> None:
    # What can be refused in an instant is refused before torch is loaded.
    regions_cli.check(options)
    info = explainer(options.explainer)
    settings = _settings(info, options)
    colormap = options.colormap or info.default_colormap
    if colormap not in COLORMAPS:
        raise AllxaiError(
            _("There is no colour map {name}: choose {choices}.").format(
                name=colormap, choices=", ".join(COLORMAPS)
            )
        )
    pixel_weights(np.zeros((1, 1), np.float32), options.rule, q=options.q, colormap=colormap)
    image = read_image(options.image)
    mask = load_mask(options.mask, image) if options.mask else None
    card = _card(options.network)
    if options.target is not None and options.target not in card.classes:
        raise NetworkError(
            _("The network {network} has no class “{name}”: choose one of {known}.").format(
                network=card.name, name=options.target, known=", ".join(card.classes)
            )
        )
    _make_folder(options.out)

    from allxai_desktop.explainers.explain import Explainer

    network = load_network(card.name)
    engine = Explainer(network)
    explanation = engine.explain(image.pixels, options.explainer, options.target, settings, _progress(info))
    shares = None
    if mask is not None:
        weights = None
        if explanation.relevance is not None:
            weights = pixel_weights(explanation.relevance, options.rule, q=options.q, colormap=colormap)
        shares = ShareCounter(mask.codes, weights).shares()
    regions = regions_cli.regions(options, network, image, mask, explanation.target)
    trust = trust_cli.trust(options, engine, image, mask, explanation)
    _write_results(options.out, image, explanation, colormap)
    result = {
        "image": image.name,
        "network": card.name,
        "domain_warning": network.domain_warning(image.pixels),
        "prediction": explanation.prediction.probabilities,
        "target": explanation.target,
        "logit": explanation.logit,
        "explainer": explanation.explainer,
        "undefined": explanation.undefined,
        "conservation": explanation.conservation,
        "seconds": explanation.seconds,
        "rule": options.rule,
        "colormap": colormap,
        "shares": None if shares is None else {key: asdict(share) for key, share in shares.items()},
    }
    if info.on_demand or options.setting or options.preset:
        result["settings"] = explanation.settings
    if regions is not None:
        result["regions"] = asdict(regions)
    if trust is not None:
        result["trust"] = trust
    if options.json:
        print(json.dumps(_without_nan(result), indent=2, allow_nan=False))
    else:
        notes = [
            *image.notes,
            mask.warning if mask else None,
            result["domain_warning"],
            explanation.undefined,
        ]
        _print_result(card, explanation, shares, [note for note in notes if note])
        if regions is not None:
            print("\n".join(regions_cli.table(regions, card.class_title(regions.target))))
        if trust is not None:
            print("\n".join(trust_cli.lines(trust)))


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


def _card(name: str | None) -> Card:
    cards = {card.name: card for card in list_networks()}
    if not cards:
        raise NetworkError(_("There is no trained network: install the program again."))
    name = name or next(iter(cards))
    if name not in cards:
        raise NetworkError(
            _("There is no network “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(cards)
            )
        )
    return cards[name]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AllxaiError(
            _("The folder {name} cannot be made ({reason}): choose another one.").format(
                name=folder.name, reason=error.strerror or type(error).__name__
            )
        ) from error


def _write_results(folder: Path, image: CellImage, explanation: Explanation, colormap: str) -> None:
    """Write the map and the overlay; an undefined one takes away those that a run before left under its names."""
    base = f"{Path(image.name).stem}.{explanation.explainer}"
    if explanation.relevance is None:
        for name in (f"{base}.npz", f"{base}.png"):
            (folder / name).unlink(missing_ok=True)
        return
    archive, picture = io.BytesIO(), io.BytesIO()
    np.savez_compressed(archive, relevance=explanation.relevance)
    # seismic is centred on zero, as in the rule of the same name.
    drawn = blend(image.pixels, explanation.relevance, signed=colormap == "seismic", colormap=colormap)
    Image.fromarray(drawn).save(picture, "PNG")
    write_whole(folder / f"{base}.npz", archive.getbuffer())
    write_whole(folder / f"{base}.png", picture.getbuffer())


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_result(
    card: Card, explanation: Explanation, shares: Mapping[str, ClassShare] | None, notes: list[str]
) -> None:
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
    if shares is None:
        return
    titles = {key: BY_KEY[key].title if key in BY_KEY else _("Unlabelled") for key in shares}
    width = max(map(len, titles.values()))
    heads = (_("pixels"), _("area"), _("relevance"), _("enrichment"))
    print(f"  {'':{width}}" + "".join(f"  {head:>{max(len(head), 8)}}" for head in heads))
    for key, share in shares.items():
        cells = (
            str(share.pixels),
            _percent(share.area_share),
            _percent(share.relevant_share),
            _ratio(share.enrichment),
        )
        columns = "".join(f"  {cell:>{max(len(head), 8)}}" for head, cell in zip(heads, cells, strict=True))
        print(f"  {titles[key]:{width}}{columns}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"×{value:.2f}"


_Command = tuple[
    Callable[[], str], Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]
]
_COMMANDS: dict[str, _Command] = {
    "explain": (
        lambda: _(
            "Explains an image: prints the prediction and the relevance by class, writes map and overlay."
        ),
        _add_explain_arguments,
        _explain,
    ),
    "compare": (
        lambda: _("Compares explainers and networks on one image: draws them as one figure."),
        compare_cli.add_arguments,
        compare_cli.compare,
    ),
    "train": (
        lambda: _("Trains a network on a folder of images, as a source document did or better."),
        train_cli.add_arguments,
        train_cli.train,
    ),
    "masks": (
        lambda: _(
            "Exports and imports the masks of a study; proposes masks, measures how a network draws them."
        ),
        masks_cli.add_arguments,
        masks_cli.run,
    ),
    "study": (
        lambda: _("Takes images into a study; checks its audit trail; compares annotations."),
        study_cli.add_arguments,
        study_cli.run,
    ),
    "bench": (
        lambda: _("Measures how much work the proposals leave, on images whose masks are known."),
        bench_cli.add_arguments,
        bench_cli.run,
    ),
    "networks": (
        lambda: _("Lists the trained networks, or shows the card of one."),
        cli_networks.add_show_arguments,
        cli_networks.list_or_show,
    ),
    "network": (
        lambda: _("Adds a trained network of your own, or removes it."),
        cli_networks.add_arguments,
        cli_networks.run,
    ),
    "explainers": (
        lambda: _("Lists the explainers."),
        cli_networks.no_arguments,
        cli_networks.list_explainers,
    ),
    "selftest": (
        lambda: _("Explains a sample with every network and checks the answers."),
        cli_networks.no_arguments,
        cli_networks.selftest,
    ),
}
