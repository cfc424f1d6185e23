"""Agreement on the terminal, as CSV, as JSON, and as a page to read and print. No file holds a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from allxai_desktop import __version__
from allxai_desktop.agreement import words
from allxai_desktop.agreement.gathering import Comparison, StudyAgreement
from allxai_desktop.agreement.metrics import FIGURES, Agreement
from allxai_desktop.cellclasses import BY_KEY, CLASSES
from allxai_desktop.files import write_table, write_whole
from allxai_desktop.i18n import _, language
from allxai_desktop.training.measuring.intervals import as_dict

TABLE_FILE, JSON_FILE, PAGE_FILE = "agreement.csv", "agreement.json", "agreement.html"
_STYLE = """
body { font: 15px/1.5 sans-serif; color: #222; max-width: 62em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
table { border-collapse: collapse; margin: .8em 0; }
th, td { padding: .25em .9em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { border-bottom: 2px solid #888; font-weight: 600; }
.chip { display: inline-block; width: .9em; height: .9em; margin-right: .5em; border-radius: 2px; }
.note { color: #666; }
"""
Row = list[str]


def write_report(folder: Path, found: StudyAgreement, title: str) -> list[str]:
    """Write table, JSON and page into `folder`, made when missing; return their names. Raises `WriteError`."""
    write_table(folder / TABLE_FILE, _table(found))
    write_whole(folder / JSON_FILE, json.dumps(as_json(found), ensure_ascii=False, indent=1).encode())
    write_whole(folder / PAGE_FILE, page(found, title).encode())
    return [TABLE_FILE, JSON_FILE, PAGE_FILE]


# For programs


def as_json(found: StudyAgreement) -> dict[str, Any]:
    """Return every figure with its interval, and those of each image."""
    return {
        "program": f"AllXAI Desktop {__version__}",
        "second_annotations_drawn": found.drawn,
        "comparisons": [_comparison(one) for one in found.comparisons],
        "problems": list(found.problems),
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    agreement = one.agreement
    return {
        "kind": one.kind,
        "first": one.first,
        "second": one.second,
        "images": agreement.image_count,
        "comparisons": len(agreement.images),
        "subjects": agreement.groups,
        "distance_unit": words.unit(agreement.in_um),
        "overall": {name: as_dict(value) for name, value in agreement.overall.items()},
        "of_class": {
            key: {name: as_dict(value) for name, value in figures.items()}
            for key, figures in agreement.of_class.items()
        },
        "confusion": {
            "rows": "first",
            "columns": "second",
            "counts": sum(image.confusion for image in agreement.images).tolist(),  # type: ignore[union-attr]
        },
        "by_image": [
            {
                "image": image.name,
                "compared_share": image.share,
                "agreement": image.agreement,
                "kappa": image.kappa,
                "of_class": image.figures(agreement.in_um),
            }
            for image in agreement.images
        ],
    }


def _table(found: StudyAgreement) -> Iterator[list[Any]]:
    """Yield a row for each class of each image of each comparison, and one for all classes together."""
    yield ["kind", "first", "second", "image", "compared_share", "class", "agreement", *FIGURES, "unit"]
    for one in found.comparisons:
        if one.kind == "people":
            # Its images are those of the pairs.
            continue
        in_um = one.agreement.in_um
        for image in one.agreement.images:
            head = [one.kind, one.first or "", one.second or "", image.name, _cell(image.share)]
            yield [*head, "all", _cell(image.agreement), "", "", _cell(image.kappa), "", "", ""]
            for key, figures in image.figures(in_um).items():
                yield [*head, key, "", *(_cell(figures[name]) for name in FIGURES), words.unit(in_um)]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


# For people


def lines(found: StudyAgreement) -> list[str]:
    """Return the table for a terminal."""
    shown: list[str] = []
    for one in found.comparisons:
        shown += [
            "",
            words.title(one),
            words.extent(one.agreement),
            words.overall(one.agreement),
            *_aligned(_class_rows(one.agreement)),
            words.brackets(one.agreement),
        ]
    return shown[1:]


def _class_rows(agreement: Agreement) -> list[Row]:
    head = [_("Class"), *(words.heading(name, agreement.in_um) for name in FIGURES)]
    return [
        head,
        *(
            [
                BY_KEY[key].title,
                *(words.estimate_text(words.SHOWN[name], of_class[words.SHOWN[name]]) for name in FIGURES),
            ]
            for key, of_class in agreement.of_class.items()
        ),
    ]


def _aligned(rows: list[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def page(found: StudyAgreement, title: str) -> str:
    """Return a page in HTML that stands alone."""
    blocks = [f"<h1>{escape(_('Agreement: {title}').format(title=title))}</h1>"]
    for one in found.comparisons:
        agreement = one.agreement
        blocks += [
            f"<h2>{escape(words.title(one))}</h2>",
            f"<p>{escape(words.extent(agreement))}.<br>{escape(words.overall(agreement))}</p>",
            _html_table(_class_rows(agreement), [cls.color for cls in CLASSES]),
            f'<p class="note">{escape(words.brackets(agreement))}</p>',
        ]
    if found.disagreements:
        blocks += [f"<h2>{escape(_('Image by image'))}</h2>", _html_table(_image_rows(found))]
    if found.problems:
        blocks.append(f"<h2>{escape(_('Left out'))}</h2>")
        blocks.append("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in found.problems) + "</ul>")
    blocks += [
        f'<p class="note">{escape(text)}</p>'
        for text in (
            *(f"{_(words.FIGURE_TITLES[name])}: {_(words.FIGURE_TIPS[name])}." for name in FIGURES),
            f"AllXAI Desktop {__version__} · " + _("Research use only, not a medical device"),
        )
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{language()}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(blocks)
        + "\n</body></html>\n"
    )


def _image_rows(found: StudyAgreement) -> list[Row]:
    """Return a row for each pair of masks, those that agree least first."""
    return [
        [_("Image"), _("Annotators"), _("κ"), _("Same class"), _("Pixels that differ"), _("Adjudication")],
        *(
            [
                one.compared.name,
                f"{words.person(one.pair.first)} – {one.pair.second}",
                words.number("kappa", one.compared.kappa),
                words.number("agreement", one.compared.agreement),
                str(one.differing),
                words.decided(one),
            ]
            for one in found.ranked
        ),
    ]


def _html_table(rows: list[Row], colors: list[tuple[int, int, int]] | None = None) -> str:
    head, *body = rows
    chips = ["" for _row in body]
    if colors is not None:
        chips = [f'<span class="chip" style="background: rgb{color}"></span>' for color in colors]
    made = "".join(
        "<tr>"
        + "".join(f"<td>{chip if place == 0 else ''}{escape(cell)}</td>" for place, cell in enumerate(row))
        + "</tr>\n"
        for row, chip in zip(body, chips, strict=True)
    )
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<table><thead><tr>{heads}</tr></thead>\n<tbody>{made}</tbody></table>"
