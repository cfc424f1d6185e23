"""`allxai masks`: exports and imports masks, proposes those of nuclei, and measures what a network draws."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop import exchange_cli
from allxai_desktop.errors import AllxaiError, LeftOutError
from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.networks.network import Network
    from allxai_desktop.training.datasets.mask_classes import MaskClasses

_PARTS = ("train", "val", "test", "unseen")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what follows `allxai masks`."""
    commands = parser.add_subparsers(metavar="export | import | propose | measure", required=True)
    exchange_cli.add_commands(commands)
    propose = commands.add_parser("propose", help=_("proposes the nuclei of a folder of images, to correct"))
    propose.add_argument("images", metavar="DIR", type=Path, help=_("the folder of the images"))
    propose.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help=_("gets images/, masks/ and pictures/ with image | mask | overlay"),
    )
    propose.set_defaults(masks=_propose)
    measure = commands.add_parser("measure", help=_("compares what a network draws with masks"))
    measure.add_argument(
        "--network",
        metavar="NAME|DIR",
        required=True,
        help=_("a network of the program, or the folder of a run"),
    )
    measure.add_argument(
        "--data", metavar="DIR", type=Path, required=True, help=_("images with masks, or a study")
    )
    measure.add_argument("--groups", metavar="PATTERN", help=_("finds the subject in a file name"))
    measure.add_argument(
        "--class-map", metavar="NAME|FILE", help=_("which label of the masks is which class")
    )
    measure.add_argument(
        "--split", metavar="FILE", type=Path, help=_("split.json of a run: only its --part is measured")
    )
    measure.add_argument("--part", choices=_PARTS, default="test")
    measure.set_defaults(masks=_measure)


def run(options: argparse.Namespace) -> None:
    """Do what was asked for. Raises `AllxaiError`."""
    options.masks(options)


def _propose(options: argparse.Namespace) -> None:
    from allxai_desktop.training.preparing.proposals import PICTURES_FOLDER, write_proposals

    problems = write_proposals(options.images, options.out)
    print(
        _("Look through {folder}, correct the masks, then train on {out}.").format(
            folder=options.out / PICTURES_FOLDER, out=options.out
        )
    )
    LeftOutError.check(problems)


def _measure(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from allxai_desktop.training.datasets.classmaps import read_class_map
    from allxai_desktop.training.datasets.data import read_data
    from allxai_desktop.training.datasets.dataset import look_through
    from allxai_desktop.training.datasets.mask_classes import mapped_classes
    from allxai_desktop.training.datasets.split_file import read_split
    from allxai_desktop.training.measuring.report import figure_lines
    from allxai_desktop.training.measuring.segmentation_metrics import evaluate_segmentation
    from allxai_desktop.training.segment import measure_segmentation

    network = _network(options.network)
    classes = _classes(network)
    if options.class_map is not None:
        classes = mapped_classes(classes, read_class_map(options.class_map))
    root, listed = read_data(options.data, options.groups)
    data = look_through(root, [replace(item, label="") for item in listed], segmentation=True)
    items = data.items
    if options.split is not None:
        items = [items[place] for place in read_split(options.split, data).split.parts[options.part]]
        if not items:
            raise AllxaiError(
                _("The split has no images in its part {part}: choose another.").format(part=options.part)
            )
    subjects = [item.subject for item in items]
    found = evaluate_segmentation(
        measure_segmentation(network, root, items, classes),
        classes.keys,
        None if None in subjects else subjects,
    )
    for line in (*data.notes, *figure_lines(found, classes.titles_by_language)):
        print(line)
    # What nobody has painted yet is not left out.
    masked = {item.file for item in listed if item.mask is not None}
    LeftOutError.check([f"{left.file}: {left.reason}" for left in data.skipped if left.file in masked])


def _network(name: str) -> Network:
    from allxai_desktop.networks.card import CARD_FILE
    from allxai_desktop.networks.network import open_network
    from allxai_desktop.networks.registry import load_network

    return open_network(Path(name)) if (Path(name) / CARD_FILE).is_file() else load_network(name)


def _classes(network: Network) -> MaskClasses:
    from allxai_desktop.training.datasets.mask_classes import ANNOTATOR, NUCLEI

    for classes in (NUCLEI, ANNOTATOR):
        if network.card.classes == classes.keys:
            return classes
    raise AllxaiError(
        _("The network {name} draws neither nuclei nor the five classes: choose another.").format(
            name=network.card.name
        )
    )
