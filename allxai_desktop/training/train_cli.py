"""`allxai train`: a preset trained on a folder of images, from the command line."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.training.words import duration, percent

if TYPE_CHECKING:
    from allxai_desktop.training.run_types import EpochRecord, Request

_WIDTH = 78


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `train` takes."""
    parser.add_argument("--list", action="store_true", help=_("list the presets and end"))
    parser.add_argument("--preset", metavar="NAME", help=_("what to train, see --list"))
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        help=_("a folder per class, a study, images/ and masks/, or a CSV file with “file” and “class”"),
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=_("the folder of the run; runs/PRESET-DATA by default")
    )
    parser.add_argument("--resume", action="store_true", help=_("go on with the run in that folder"))
    parser.add_argument(
        "--groups",
        metavar="PATTERN",
        help=_("regular expression that finds the subject in a file name: subjects stay in one part"),
    )
    parser.add_argument(
        "--test-subjects", metavar="A,B,…", help=_("hold out these subjects, in place of a share")
    )
    parser.add_argument(
        "--each-subject", action="store_true", help=_("leave out each subject in turn, and show the spread")
    )
    parser.add_argument(
        "--unseen", metavar="N", type=_at_least(0), help=_("how many images a class are never seen")
    )
    parser.add_argument("--class-map", metavar="NAME|FILE", help=_("join classes as a TOML file says"))
    parser.add_argument("--positive", metavar="CLASS", help=_("the class that sensitivity is about"))
    parser.add_argument(
        "--weights",
        metavar="none|imagenet|FILE|NETWORK",
        help=_("where to start; what the preset says by default"),
    )
    parser.add_argument("--epochs", metavar="N", type=_at_least(1), help=_("other than the preset's"))
    parser.add_argument("--batch", metavar="N", type=_at_least(1), help=_("other than the preset's"))
    parser.add_argument("--rate", metavar="R", type=_number, help=_("learning rate other than the preset's"))
    parser.add_argument("--decay", metavar="W", type=_number, help=_("weight decay other than the preset's"))
    parser.add_argument(
        "--find-rate", action="store_true", help=_("only try rising learning rates, and say which suits")
    )
    parser.add_argument(
        "--search",
        action="store_true",
        help=_("only try learning rates with weight decays, two epochs each or --epochs"),
    )
    parser.add_argument(
        "--write-images",
        action="store_true",
        help=_("only write the images of each part with their copies as PNG files to --out"),
    )
    parser.add_argument(
        "--patience",
        metavar="N",
        type=_at_least(1),
        help=_("stop after N epochs without a lower validation loss, and keep the best weights"),
    )
    parser.add_argument("--seed", metavar="N", type=_at_least(0), default=0)
    parser.add_argument(
        "--as-published",
        action="store_true",
        help=_("make copies before the split, as the papers did; the figures then flatter"),
    )
    parser.add_argument(
        "--no-add", action="store_true", help=_("do not offer the network in the program afterwards")
    )


def train(options: argparse.Namespace) -> None:
    """Train, or list the presets. Raises `AllxaiError`."""
    if options.list:
        _list()
        return
    if not options.preset or not options.data:
        raise AllxaiError(
            _("Say what to train and on which images: allxai train --preset NAME --data DIR (names: --list).")
        )
    from allxai_desktop.tasks import Cancelled

    request, terminal = _request(options), Terminal()
    try:
        _command(options)(request, terminal)
    except (KeyboardInterrupt, Cancelled):
        terminal.end_line()
        raise KeyboardInterrupt(
            _(
                "Stopped. What was learnt up to the last epoch is kept: the same command with --resume goes on."
            )
        ) from None
    finally:
        terminal.end_line()


def _command(options: argparse.Namespace) -> Callable[[Request, Terminal], None]:
    if options.find_rate:
        return _find_rate
    if options.search:
        return _search
    if options.write_images:
        return _write_images
    return _each_subject if options.each_subject else partial(_train, add=not options.no_add)


def _train(request: Request, terminal: Terminal, *, add: bool) -> None:
    from allxai_desktop.training.measuring.report import PAGE_FILE
    from allxai_desktop.training.run_folder import is_finished, offer

    if is_finished(request):
        print(_("This run is finished already."))
    else:
        _train_and_tell(request, terminal)
    print(
        _("Card, weights, pictures and the report {page}: {folder}").format(
            page=PAGE_FILE, folder=request.out
        )
    )
    if add:
        name = offer(request.out)
        print(
            _("The program offers it as “{name}”; “allxai network remove {name}” takes it away.").format(
                name=name
            )
        )


def _train_and_tell(request: Request, terminal: Terminal) -> None:
    from allxai_desktop.training.measuring.report import figure_lines
    from allxai_desktop.training.run import train
    from allxai_desktop.training.words import cautions, leaking_text, titled

    result = train(request, terminal)
    terminal.end_line()
    split, found = result.card["split"], result.evaluation
    part = "unseen" if "unseen" in split else "test"
    titles = {
        code: dict(zip(found.classes, names, strict=True))
        for code, names in result.card["class_titles"].items()
    }
    shown = [titled(titles, name) for name in found.classes]
    marks = cautions(split.get("caution", ""), part, shown, found.confusion)
    if split["leaking"]:
        marks.insert(0, leaking_text())
    for line in (*figure_lines(found, titles), *marks):
        print(line)


def _each_subject(request: Request, terminal: Terminal) -> None:
    from allxai_desktop.training.leave_out import leave_each_out
    from allxai_desktop.training.measuring.report import figure_lines

    found = leave_each_out(request, terminal)
    terminal.end_line()
    for subject, accuracy in found.accuracies.items():
        print(f"{subject:>10}  {percent(accuracy)}")
    for line in figure_lines(found.evaluation, {}):
        print(line)
    print(_("Report and one folder a subject: {folder}").format(folder=found.folder))


def _find_rate(request: Request, terminal: Terminal) -> None:
    from allxai_desktop.training.search import find_rate

    found = find_rate(request, terminal)
    terminal.end_line()
    for rate, loss in list(zip(found.rates, found.losses, strict=True))[::5]:
        print(f"{rate:10.2e}  {loss:.4f}")
    if found.suggested is None:
        print(_("The loss hardly fell at any of these rates: keep the preset's, or give more images."))
    else:
        print(_("A learning rate that suits: {rate:.1e} (--rate)").format(rate=found.suggested))


def _search(request: Request, terminal: Terminal) -> None:
    from allxai_desktop.training.search import search

    trials = search(request, terminal)
    terminal.end_line()
    print(f"{_('rate'):>10} {_('decay'):>10} {_('val. loss'):>10} {_('val. right'):>10}")
    for trial in trials:
        loss = "–" if trial.loss is None else f"{trial.loss:.4f}"
        print(f"{trial.rate:10.2e} {trial.decay:10.2e} {loss:>10} {percent(trial.accuracy):>10}")


def _write_images(request: Request, terminal: Terminal) -> None:
    from allxai_desktop.training.preparing.copies import MANIFEST
    from allxai_desktop.training.words import part_title
    from allxai_desktop.training.written_images import write_images

    counts = write_images(request, terminal)
    terminal.end_line()
    for part, count in counts.items():
        print(f"{part_title(part):>10}  {count}")
    print(
        _("Images, and {file} with what each was made of: {folder}").format(file=MANIFEST, folder=request.out)
    )


class Terminal:
    """The watcher that prints: a line an epoch, and on a terminal one that shows how far the current one is."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = 0
        self._headed = False
        self._stage = ""
        self._epoch = 0

    def note(self, sentence: str) -> None:
        """Print it."""
        self.end_line()
        print(_("Note: {text}").format(text=sentence), flush=True)

    def stage(self, title: str, share: float) -> None:
        """Show what is being done."""
        if title != self._stage:
            self._stage = title
            if not self._live:
                print(f"{title} …", flush=True)
        self._show(f"{title}: {100 * share:3.0f} %")

    def step(self, share: float) -> None:
        """Show how far the epoch is."""
        self._show(_("Epoch {number}: {share:.0f} %").format(number=self._epoch + 1, share=100 * share))

    def epoch(self, record: EpochRecord) -> None:
        """Print a line of the table."""
        self.end_line()
        self._epoch = record.number
        if not self._headed:
            self._headed = True
            heads = (
                _("epoch"),
                _("loss"),
                _("right"),
                _("val. loss"),
                _("val. right"),
                _("seconds"),
                _("left"),
            )
            print(" ".join(f"{head:>10}" for head in heads), flush=True)
        cells = (
            f"{record.number}/{record.of}",
            f"{record.loss:.4f}",
            percent(record.accuracy),
            "–" if record.validation_loss is None else f"{record.validation_loss:.4f}",
            percent(record.validation_accuracy),
            f"{record.seconds:.1f}",
            duration(record.seconds_left),
            *([] if record.validation_dice is None else [f"Dice {percent(record.validation_dice)}"]),
        )
        print(" ".join(f"{cell:>10}" for cell in cells), flush=True)

    def end_line(self) -> None:
        """Take the live line away."""
        if self._shown:
            print("\r" + " " * self._shown + "\r", end="", file=sys.stderr, flush=True)
            self._shown = 0

    def _show(self, text: str) -> None:
        if self._live:
            text = text[:_WIDTH]
            print("\r" + text.ljust(self._shown), end="", file=sys.stderr, flush=True)
            self._shown = len(text)


def _list() -> None:
    from allxai_desktop.training.presets import PRESETS

    width = max(map(len, PRESETS))
    for preset in PRESETS.values():
        plan = preset.plan
        print(f"{preset.name:{width}}  {_(preset.title)}")
        print(f"{'':{width}}  {_(preset.source)}")
        print(
            f"{'':{width}}  "
            + _("{side}×{side}, {optimiser} {rate:g}, batch {batch}, {epochs} epochs").format(
                side=preset.side,
                optimiser=plan.optimiser.kind,
                rate=plan.optimiser.rate,
                batch=plan.batch,
                epochs=plan.epochs,
            )
            + ("" if preset.classes is None else ", " + _("{count} classes").format(count=preset.classes))
        )


def _request(options: argparse.Namespace) -> Request:
    from allxai_desktop.training.run_types import Request

    out = options.out or Path("runs") / f"{options.preset}-{options.data.resolve().name}"
    subjects = tuple(text.strip() for text in (options.test_subjects or "").split(",") if text.strip())
    return Request(
        preset=options.preset,
        data=options.data,
        out=out,
        groups=options.groups,
        test_subjects=subjects,
        unseen=options.unseen,
        class_map=options.class_map,
        positive=options.positive,
        weights=options.weights,
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        decay=options.decay,
        patience=options.patience,
        seed=options.seed,
        as_published=options.as_published,
        resume=options.resume,
    )


def _at_least(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(
                _("“{text}” is no whole number of at least {least}").format(text=text, least=least)
            )
        return int(text)

    return read


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(_("“{text}” is no number such as 0.001").format(text=text))
    return number
