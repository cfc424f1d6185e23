"""`allxai study agreement`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from allxai_desktop.errors import LeftOutError
from allxai_desktop.files import make_folder
from allxai_desktop.i18n import _


def add_command(commands: Any) -> None:
    """Declare `agreement` among the commands of an argparse parser."""
    parser = commands.add_parser(
        "agreement", help=_("compares first and second annotations, and people with the proposal")
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help=_("the folder of the study"))
    parser.add_argument(
        "--proposal", action="store_true", help=_("compares the masks with what the program proposes, too")
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=_("gets agreement.csv, agreement.json and agreement.html")
    )
    parser.set_defaults(study_command=run)


def run(options: argparse.Namespace) -> None:
    """Print the table, and write it where asked. Raises `AllxaiError`."""
    from allxai_desktop.agreement.gathering import measure_study, start_proposal
    from allxai_desktop.agreement.report import lines, write_report
    from allxai_desktop.study.folder import Study

    study = Study.open(options.study)
    found = measure_study(study, start_proposal if options.proposal else None, progress=_progress)
    print("\n".join(lines(found)))
    if options.out is not None:
        make_folder(options.out)
        names = write_report(options.out, found, study.title)
        print(_("Written: {names}.").format(names=", ".join(names)))
    LeftOutError.check(found.problems)


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{100 * share:3.0f} %\r", end="", file=sys.stderr, flush=True)
