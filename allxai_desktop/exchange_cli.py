"""`allxai masks export` and `allxai masks import`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from allxai_desktop.cellclasses import CLASSES, UNLABELLED_KEY
from allxai_desktop.errors import AllxaiError, LeftOutError
from allxai_desktop.i18n import _


def add_commands(commands: Any) -> None:
    """Declare `export` and `import` among the commands of an argparse parser."""
    # Here, for they are slow to import and other commands do without them.
    from allxai_desktop.masks.formats import EXPORTS, IMPORTS

    out = commands.add_parser("export", help=_("writes the masks of a study for other programs"))
    out.add_argument("study", metavar="STUDY", type=Path, help=_("the folder of the study"))
    out.add_argument(
        "--format",
        metavar="NAME",
        required=True,
        help="; ".join(f"{name}: {_(form.title)}" for name, form in EXPORTS.items()),
    )
    out.add_argument("--out", metavar="DIR", type=Path, required=True, help=_("a new or empty folder"))
    out.add_argument(
        "--rename",
        action="store_true",
        help=_("calls the images image_0001, …; the study's folder gets a table of their names"),
    )
    out.add_argument(
        "--images", action="store_true", help=_("the images too, as PNG with their pixels alone")
    )
    out.add_argument(
        "--final",
        action="store_true",
        help=_("the final mask of each image that was adjudicated to the end, the first mask of the others"),
    )
    out.set_defaults(masks=_export)

    into = commands.add_parser("import", help=_("reads masks of other programs into a study"))
    into.add_argument("study", metavar="STUDY", type=Path, help=_("the folder of the study"))
    into.add_argument(
        "masks_path",
        metavar="MASKS",
        type=Path,
        help=_("a file, or a folder of files: {formats}").format(
            formats="; ".join(f"{_(form.title)} ({', '.join(form.endings)})" for form in IMPORTS.values())
        ),
    )
    into.add_argument(
        "--map",
        metavar="LABEL=CLASS",
        action="append",
        default=[],
        help=_("the class of a number, colour (#rrggbb) or name: {classes}").format(classes=_classes()),
    )
    into.add_argument("--replace", action="store_true", help=_("also where an image has a mask already"))
    into.set_defaults(masks=_import)


def _classes() -> str:
    return ", ".join([*(cls.key for cls in CLASSES), UNLABELLED_KEY])


def _export(options: argparse.Namespace) -> None:
    from allxai_desktop.agreement.adjudication import unfinished_note, with_finals
    from allxai_desktop.masks.formats import export_format
    from allxai_desktop.study.folder import Study
    from allxai_desktop.study.mask_export import export_study

    form = export_format(options.format)
    study = Study.open(options.study)
    masks = with_finals(study) if options.final else study
    report = export_study(masks, form, options.out, rename=options.rename, images=options.images)
    for sentence in [*report.notes, *(unfinished_note(study, masks) if options.final else ())]:
        print(sentence)
    print(report.summary)
    LeftOutError.check(report.problems)


def _import(options: argparse.Namespace) -> None:
    from allxai_desktop.study.exchange_reports import ImportReport
    from allxai_desktop.study.folder import Study
    from allxai_desktop.study.mask_import import import_masks

    report = ImportReport()
    try:
        import_masks(
            Study.open(options.study),
            options.masks_path,
            _mapping(options.map),
            replace_existing=options.replace,
            report=report,
        )
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(report.cancelled) from stopped
    for sentence in report.notes:
        print(sentence)
    if report.kept:
        print(_("To replace the masks that are there, add --replace."))
    problems = list(report.problems)
    if report.foreign:
        problems.append(_("To say which class a label is, add --map LABEL=CLASS."))
    if problems and not report.count:
        raise AllxaiError("\n".join([*problems, report.summary]))
    print(report.summary)
    LeftOutError.check(problems)


def _mapping(pairs: list[str]) -> dict[str, int]:
    """Return label → code of texts LABEL=CLASS. Raises `AllxaiError`."""
    from allxai_desktop.masks.labels import guess

    found = {}
    for pair in pairs:
        label, _equals, name = pair.rpartition("=")
        code = guess(name)
        if not label or code is None:
            raise AllxaiError(
                _("{pair} is no label with its class: write LABEL=CLASS with one of {classes}.").format(
                    pair=pair, classes=_classes()
                )
            )
        # Colours of pictures are written small.
        found[label.lower() if label.startswith("#") else label] = code
    return found
