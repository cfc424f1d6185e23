"""`allxai explain --regions`: the Shapley values of the regions of the mask."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from allxai_desktop.analyses.regions import RegionShapley, explain_regions
from allxai_desktop.analyses.regions_words import table
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.removal import FILLS

if TYPE_CHECKING:
    from allxai_desktop.images import CellImage
    from allxai_desktop.masks.npz import MaskFile
    from allxai_desktop.networks.network import Network

__all__ = ["add_arguments", "check", "regions", "table"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--regions` and `--fill`."""
    parser.add_argument(
        "--regions",
        action="store_true",
        help=_("what each region of the mask contributes to the score (Shapley values)"),
    )
    parser.add_argument(
        "--fill",
        metavar="NAME",
        default=next(iter(FILLS)),
        help=_("what stands in place of removed regions: {names}").format(names=", ".join(FILLS)),
    )


def check(options: argparse.Namespace) -> None:
    """Raise `AllxaiError` for options that do not fit together."""
    if options.fill not in FILLS:
        raise AllxaiError(
            _("There is no fill {name}: choose {choices}.").format(
                name=options.fill, choices=", ".join(FILLS)
            )
        )
    if options.regions and options.mask is None:
        raise AllxaiError(_("The regions are those of a mask: give its file with --mask."))


def regions(
    options: argparse.Namespace, network: Network, image: CellImage, mask: MaskFile | None, target: str
) -> RegionShapley | None:
    """Return the values where they were asked for."""
    if not options.regions or mask is None:
        return None
    return explain_regions(network, image.pixels, mask.codes, target, options.fill)
