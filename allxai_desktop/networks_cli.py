"""The commands `allxai networks [show NAME]`, `allxai network add | remove`, `allxai explainers`, `allxai selftest`."""

import argparse
import re
from fractions import Fraction
from pathlib import Path

from allxai_desktop.errors import AllxaiError, LeftOutError
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import ARCHITECTURES, Size
from allxai_desktop.networks.card_text import card_lines
from allxai_desktop.networks.registry import find_networks, network_card
from allxai_desktop.networks.user import remove_network


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what follows `allxai networks`: nothing, or `show NAME`."""
    commands = parser.add_subparsers(metavar="show")
    show = commands.add_parser("show", help=_("shows the card of a network, for people"))
    show.add_argument("name", metavar="NAME")
    parser.set_defaults(name=None)


def list_or_show(options: argparse.Namespace) -> None:
    """Print every network, or the card of the one that is named. Raises `NetworkError`."""
    if options.name is None:
        _list_all()
    else:
        print("\n".join(card_lines(network_card(options.name))))


def _list_all() -> None:
    """Print every network. Raises `LeftOutError` where a folder of one cannot be used."""
    found = find_networks()
    width = max((len(card.name) for card in found.cards), default=0)
    for card in found.cards:
        print(f"{card.name:{width}}  {card.title}")
        print(f"{'':{width}}  {card.domain_description}")
        print(f"{'':{width}}  {', '.join(card.classes)}")
    LeftOutError.check(found.problems)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what follows `allxai network`."""
    commands = parser.add_subparsers(required=True, metavar="add|remove")
    add = commands.add_parser(
        "add",
        help=_("adds a trained network of your own"),
        epilog=_("Architectures: {names}.").format(names=", ".join(ARCHITECTURES)),
    )
    add.set_defaults(run=_add)
    add.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help=_("weights as .safetensors, .pt or .pth (a state_dict), or a whole network as .onnx"),
    )
    add.add_argument("--arch", metavar="NAME", help=_("the architecture of the weights; not for .onnx"))
    add.add_argument(
        "--classes",
        metavar="A,B,…",
        required=True,
        help=_("the classes, in the order of the network's scores"),
    )
    add.add_argument("--name", metavar="NAME", help=_("what to call it; the file's name by default"))
    add.add_argument("--title", metavar="TEXT", help=_("its name for people"))
    add.add_argument("--size", metavar="HxW", help=_("height and width of its input in pixels, as 224x224"))
    add.add_argument(
        "--mean", metavar="M,M,M", help=_("what is taken from the image in 0…1: one number, or one a channel")
    )
    add.add_argument(
        "--std", metavar="S,S,S", help=_("what the rest is divided by; fractions as 1/255 can be")
    )
    remove = commands.add_parser("remove", help=_("removes a network that was added"))
    remove.set_defaults(run=_remove)
    remove.add_argument("name", metavar="NAME")


def run(options: argparse.Namespace) -> None:
    """Carry out `allxai network …`."""
    options.run(options)


def _add(options: argparse.Namespace) -> None:
    size = _size(options.size)
    mean, std = _numbers("--mean", options.mean), _numbers("--std", options.std)
    classes = tuple(text.strip() for text in options.classes.split(","))

    from allxai_desktop.registration import Description, add_network

    given = Description(classes, options.arch, options.name, options.title, size, mean, std)
    card, missing = add_network(options.file, given)
    print(_("Added “{name}”: {title}.").format(name=card.name, title=card.title))
    print(
        _("Input {height}×{width}, mean {mean}, std {std}; classes {classes}.").format(
            height=card.input_size[0],
            width=card.input_size[1],
            mean=", ".join(f"{number:g}" for number in card.mean),
            std=", ".join(f"{number:g}" for number in card.std),
            classes=", ".join(card.classes),
        )
    )
    for note in [*card.training.get("notes", ()), *map(_, card.departures_from_paper), *missing]:
        print(_("Note: {text}").format(text=note))


def _remove(options: argparse.Namespace) -> None:
    remove_network(options.name)
    print(_("Removed “{name}”.").format(name=options.name))


def _size(text: str | None) -> Size | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip().lower())
    if not found:
        raise AllxaiError(_("--size is given as 224x224, height first, not as {text}.").format(text=text))
    return int(found[1]), int(found[2] or found[1])


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(Fraction(part.strip())) for part in text.split(","))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise AllxaiError(
            _("{option} takes numbers such as 0.5 or 1/255, one or one a channel, not {text}.").format(
                option=option, text=text
            )
        ) from error


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare that nothing follows the command."""


def list_explainers(options: argparse.Namespace) -> None:
    """Print every explainer with its settings."""
    width = max(map(len, EXPLAINERS))
    for info in EXPLAINERS.values():
        print(f"{info.name:{width}}  {_(info.title)}: {_(info.summary)}")
        for key, setting in info.settings.items():
            print(f"{'':{width}}  {key}={setting.default}: {_(setting.title)}, {setting.allowed}")


def selftest(options: argparse.Namespace) -> None:
    """Print the checks of every network as they are done. Raises `AllxaiError` where one fails."""
    from allxai_desktop.selftest import selftest

    for line in selftest():
        print(line)
