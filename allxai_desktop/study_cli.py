"""`allxai study`: takes images into a study, checks its audit trail, and compares annotations."""

from __future__ import annotations

import argparse
from pathlib import Path

from allxai_desktop.agreement import agreement_cli
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what follows `allxai study`."""
    commands = parser.add_subparsers(metavar="import | verify | agreement", required=True)
    take = commands.add_parser("import", help=_("takes a folder of images into a study"))
    take.add_argument("study", metavar="STUDY", type=Path, help=_("the folder of the study, new or not"))
    take.add_argument(
        "--images", metavar="DIR", type=Path, required=True, help=_("the images, also in folders within it")
    )
    take.add_argument("--link", action="store_true", help=_("links the images instead of copying them"))
    take.set_defaults(study_command=_import)
    check = commands.add_parser("verify", help=_("checks the audit trail, and the masks against it"))
    check.add_argument("study", metavar="STUDY", type=Path, help=_("the folder of the study"))
    check.add_argument(
        "--noted",
        metavar="HASH",
        action="append",
        default=[],
        help=_("a last hash that was noted before: says whether the trail still holds it"),
    )
    check.set_defaults(study_command=_verify)
    agreement_cli.add_command(commands)


def run(options: argparse.Namespace) -> None:
    """Do what was asked for. Raises `AllxaiError`."""
    options.study_command(options)


def _import(options: argparse.Namespace) -> None:
    from allxai_desktop.study.image_import import import_images

    found = import_images(options.study, options.images, link=options.link)
    for was, name in found.renamed:
        print(
            _("{was} is called {name} here, for the study has another image of its name.").format(
                was=was, name=name
            )
        )
    print(found.summary)


def _verify(options: argparse.Namespace) -> None:
    from allxai_desktop.agreement.gathering import parts_of
    from allxai_desktop.study.folder import Study
    from allxai_desktop.study.verify import verify

    study = Study.open(options.study)
    if study.alone:
        raise AllxaiError(_("{name} is no study: give its folder.").format(name=options.study.name))
    problems: list[str] = []
    hashes: set[str] = set()
    for part in (study, *parts_of(study)):
        found = verify(part)
        if part is not study:
            print(f"{part.title}:")
        for sentence in found.notes:
            print(_("Note: {text}").format(text=sentence))
        problems += found.problems
        hashes |= set(found.hashes)
        if found.problems:
            continue
        if not found.entries:
            print(_("There is no audit trail yet: nothing was submitted or edited in this study."))
            continue
        print(
            _("The audit trail holds: {entries} entries, and {masks} masks as it tells.").format(
                entries=found.entries, masks=found.masks
            )
        )
        print(_("Last hash: {hash}").format(hash=found.hashes[-1]))
    problems += [
        _("No entry has the hash {hash}: entries were taken away or written anew since it was noted.").format(
            hash=noted
        )
        for noted in options.noted
        if noted not in hashes
    ]
    if problems:
        raise AllxaiError("\n".join(problems))
