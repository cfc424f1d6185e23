"""The details in the audit trail, in the words of the current language.

They are written in words that stay the same for ever, for their hashes and for whoever reads the file: `Finding.note`,
and the place and text of a `Comment`. Here these are read back.
"""

import re

from allxai_desktop.cellclasses import BY_KEY, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.study.audit import Entry
from allxai_desktop.study.checks import Finding, Kind

_NOTE = re.compile(
    rf"overruled: (unlabelled|speck of (?P<speck>{'|'.join(BY_KEY)})|vacuole outside the cell), "
    r"(?P<pixels>\d+) px at row (?P<row>\d+), column (?P<column>\d+)"
)
_COMMENT = re.compile(r"row (?P<row>\d+), column (?P<column>\d+): (?P<text>.*)", re.DOTALL)


def detail_text(entry: Entry) -> str:
    """Return the detail of an entry in the current language; as it is where this version does not know it."""
    if entry.action == "submit":
        notes = [_NOTE.fullmatch(note) for note in entry.detail.split("; ")]
        return "; ".join(_overruled(note) for note in notes if note) if all(notes) else entry.detail
    comment = _COMMENT.fullmatch(entry.detail) if entry.action == "return" else None
    if comment is None:
        return entry.detail
    return _("row {row}, column {column}: {text}").format(**comment.groupdict())


def _overruled(note: re.Match[str]) -> str:
    kind: Kind = "speck" if note["speck"] else "vacuole" if note[1].startswith("vacuole") else "unlabelled"
    code = BY_KEY[note["speck"]].code if note["speck"] else UNLABELLED
    place = int(note["row"]), int(note["column"])
    finding = Finding(kind, code, int(note["pixels"]), place)
    return _("overruled: {finding} (row {row}, column {column})").format(
        finding=finding.text, row=place[0], column=place[1]
    )
