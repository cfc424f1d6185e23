"""`allxai bench annotate`: how much work the proposals leave, measured on images whose masks are known."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `bench` takes."""
    kinds = parser.add_subparsers(metavar="annotate", required=True)
    text = _(
        "A simulated annotator starts from the proposal and puts one disc of radius 5 px in the middle of the largest"
        " wrong region, again and again: prints the mean overlap (IoU) of nucleus and cytoplasm, and the seconds."
    )
    annotate = kinds.add_parser("annotate", help=text, description=text)
    annotate.add_argument("--images", metavar="DIR", type=Path, required=True)
    annotate.add_argument(
        "--masks",
        metavar="DIR",
        type=Path,
        required=True,
        help=_("masks of this program, or pictures of 0 rest, 128 cytoplasm, 255 nucleus (or 0, 2, 1)"),
    )
    annotate.add_argument(
        "--finished",
        metavar="N",
        type=int,
        default=0,
        help=_("finish so many images first, spread evenly over all; what they teach helps with the others"),
    )
    annotate.add_argument(
        "--limit", metavar="N", type=int, help=_("measure on so many images, spread evenly over all")
    )


def run(options: argparse.Namespace) -> None:
    """Measure and print a table. Raises `AllxaiError`."""
    import numpy as np

    from allxai_desktop.proposing.effort import mean_overlaps, measure, pairs, spread_evenly, taught_by

    for folder in (options.images, options.masks):
        if not folder.is_dir():
            raise AllxaiError(_("{name} is no folder: give the one with the files.").format(name=folder))
    found = pairs(options.images, options.masks)
    # One is left to be measured.
    finishing = min(options.finished, len(found) - 1)
    finished = spread_evenly(found, finishing) if finishing > 0 else []
    chosen = spread_evenly([pair for pair in found if pair not in finished], options.limit)
    efforts = []
    for number, effort in enumerate(measure(chosen, taught_by(finished)), 1):
        efforts.append(effort)
        if sys.stderr.isatty():
            print(f"\r{number} / {len(chosen)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        _("{count} of {all} images, vacuoles counted as cytoplasm").format(count=len(chosen), all=len(found))
    )
    print(f"{_('discs'):>14}  {_('nucleus'):>10}  {_('cytoplasm'):>10}")
    for row in mean_overlaps(efforts):
        print("{:>14}  {:>10.3f}  {:>10.3f}".format(*row))
    updates = [seconds for effort in efforts for seconds in effort.update_seconds] or [0.0]
    text = _("first proposal {start:.2f} s, an update {update:.2f} s, the slowest {slowest:.2f} s")
    start = float(np.median([effort.start_seconds for effort in efforts]))
    print(text.format(start=start, update=float(np.median(updates)), slowest=max(updates)))
