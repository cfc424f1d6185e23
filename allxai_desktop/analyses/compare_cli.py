"""`allxai compare`: one image under several explainers and networks, as a figure and as numbers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from allxai_desktop.analyses.grid import Cell, ComparisonChoices, Grid, Method
from allxai_desktop.analyses.grid_cells import SharedEngine, compute_cells, new_grid
from allxai_desktop.analyses.verdicts import map_doubt
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import keep_images
from allxai_desktop.i18n import _
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.overlay import AUTO, COLORMAPS
from allxai_desktop.relevance import RULES

if TYPE_CHECKING:
    from allxai_desktop.networks.card import Card


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `compare` takes."""
    parser.add_argument("image", metavar="IMAGE", type=Path)
    parser.add_argument(
        "--networks",
        metavar="NAME,NAME",
        help=_("names with commas between them, see “allxai networks”; all by default"),
    )
    parser.add_argument(
        "--explainers",
        metavar="NAME,NAME",
        help=_(
            "names with commas between them, see “allxai explainers”; all that take one pass by default. "
            "A setting follows its explainer: lrp-z:rules=innvestigate"
        ),
    )
    parser.add_argument(
        "--mask", metavar="FILE.npz", type=Path, help=_("the mask for the relevance by class")
    )
    parser.add_argument(
        "--target",
        metavar="CLASS",
        help=_("the class to explain; the one that each network predicts by default"),
    )
    add_rule_arguments(parser)
    parser.add_argument(
        "--colormap",
        metavar="NAME",
        default=AUTO,
        help=_("the colours of the maps: {names}").format(names=", ".join(COLORMAPS)),
    )
    parser.add_argument(
        "--own-scales",
        action="store_true",
        help=_("a colour scale for each map instead of one for each explainer"),
    )
    parser.add_argument(
        "--name", metavar="TEXT", help=_("what stands under the figure in place of the name of the image")
    )
    parser.add_argument(
        "--out", metavar="FILE.png|FILE.pdf", type=Path, required=True, help=_("the file of the figure")
    )
    parser.add_argument("--json", action="store_true", help=_("print JSON"))


def add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which pixels are relevant, as `options.rule` and `options.q`."""
    parser.add_argument(
        "--rule",
        metavar="RULE",
        default=RULES[0],
        help=_("which pixels are relevant: {rules}").format(rules=", ".join(RULES)),
    )
    parser.add_argument(
        "--q",
        metavar="Q",
        type=float,
        default=0.1,
        help=_("the fraction of the pixels for top-q; 0.1 by default"),
    )


def compare(options: argparse.Namespace) -> None:
    """Compute the grid, write the figure, print the numbers. Raises `AllxaiError`."""
    from allxai_desktop.analyses.figure import check_format, save_figure

    # What can be refused in an instant is refused before torch is loaded.
    check_format(options.out)
    keep_images(options.out, [options.image])
    if options.colormap not in COLORMAPS:
        raise AllxaiError(
            _("There is no colour map {name}: choose {choices}.").format(
                name=options.colormap, choices=", ".join(COLORMAPS)
            )
        )
    cards = _cards(options.networks)
    if options.target is not None and not any(options.target in card.classes for card in cards):
        known = dict.fromkeys(key for card in cards for key in card.classes)
        raise AllxaiError(
            _("None of the networks has a class “{name}”: choose one of {known}.").format(
                name=options.target, known=", ".join(known)
            )
        )
    choices = ComparisonChoices(
        networks=tuple(card.name for card in cards),
        target=options.target,
        rule=options.rule,
        q=options.q,
        colormap=options.colormap,
        shared_scale=not options.own_scales,
        **({"methods": _methods(options.explainers)} if options.explainers else {}),
    )
    image = read_image(options.image)
    mask = load_mask(options.mask, image) if options.mask else None
    codes = mask.codes if mask else np.zeros(image.pixels.shape[:2], np.uint8)
    grid = new_grid(image, codes, cards, choices)

    def add(cell: Cell) -> None:
        grid.cells[cell.network, cell.method] = cell

    compute_cells(grid, codes, SharedEngine(), add)
    if not any(cell.explanation for cell in grid.cells.values()):
        raise AllxaiError(next(cell.problem for cell in grid.cells.values() if cell.problem))
    save_figure(options.out, grid, image.name if options.name is None else options.name)
    if options.json:
        print(json.dumps(_as_json(grid), indent=2, allow_nan=False))
    else:
        for line in _as_lines(grid, [*image.notes, mask.warning if mask else None]):
            print(line)


def _cards(names: str | None) -> list[Card]:
    cards = {card.name: card for card in list_networks()}
    wanted = list(cards) if names is None else _split(names)
    for name in wanted:
        if name not in cards:
            raise AllxaiError(
                _("There is no network “{name}” that tells classes apart: choose one of {known}.").format(
                    name=name, known=", ".join(cards)
                )
            )
    return [cards[name] for name in wanted]


def _methods(names: str) -> tuple[Method, ...]:
    found = []
    for name in _split(names):
        explainer, *settings = name.split(":")
        pairs = (setting.partition("=") for setting in settings)
        found.append(Method(explainer, tuple((key, value) for key, _equals, value in pairs)))
    return tuple(found)


def _split(names: str) -> list[str]:
    """Return the names between the commas, each once, in their order. Raises `AllxaiError` where there is none."""
    found = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not found:
        raise AllxaiError(_("Give at least one name, or leave the option out for all."))
    return found


def _as_json(grid: Grid) -> dict[str, Any]:
    return {
        "image": grid.image.name,
        "rule": grid.choices.rule,
        "domain_warnings": {card.name: grid.warning(card.name) for card in grid.cards},
        "cells": [_cell_as_json(grid, cell) for cell in grid.cells.values()],
    }


def _cell_as_json(grid: Grid, cell: Cell) -> dict[str, Any]:
    found = cell.explanation
    return {
        "network": cell.network,
        "explainer": cell.method.name,
        "settings": dict(cell.method.settings) if found is None else found.settings,
        "colormap": grid.choices.rule_colormap(cell.method),
        "prediction": found and found.prediction.probabilities,
        "target": found and found.target,
        "logit": found and found.logit,
        "conservation": found and found.conservation,
        "map_warning": found and map_doubt(found),
        "seconds": found and found.seconds,
        "problem": cell.problem,
        "same_as_gradient_x_input": cell.twin,
        "shares": {key: asdict(share) for key, share in cell.shares.items()}
        if grid.labelled and cell.shares
        else None,
    }


def _as_lines(grid: Grid, notes: Iterable[str | None]) -> Iterable[str]:
    warnings = [f"{card.title}: {why}" for card in grid.cards if (why := grid.warning(card.name))]
    doubts = [f"{m.title}, {doubt}" for m in grid.choices.methods for doubt in grid.map_doubts(m)]
    for note in [*notes, *grid.twin_notes(), *warnings, *doubts]:
        if note:
            yield _("Note: {text}").format(text=note)
    width = max(len(method.title) for method in grid.choices.methods)
    for card in grid.cards:
        yield _("{network} sees:").format(network=card.title)
        prediction = grid.prediction(card.name)
        if prediction is not None:
            key = prediction.predicted
            yield f"  {100 * prediction.probabilities[key]:5.1f} %  {card.class_title(key)}"
        for cell in grid.column(card.name):
            text = cell.problem or ""
            if grid.labelled and cell.shares:
                shares = ((cls.letter, cell.shares[cls.key].relevant_share) for cls in CLASSES)
                text = "".join(
                    f"  {letter} {'–':>7}" if share is None else f"  {letter} {100 * share:5.1f} %"
                    for letter, share in shares
                )
            yield f"  {cell.method.title:{width}}  {text.strip()}".rstrip()
