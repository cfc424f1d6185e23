"""The rows of the list of explainers."""

from __future__ import annotations

from typing import Any

from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _
from napari_allxai_widgets.choice_box import HEADING

# Equal by theory on many networks; which, the analysis of the network tells.
TWINS = ("lrp-z", "gradient-x-input")


def explainer_rows() -> list[tuple[Any, str, str]]:
    """Return (name, settings), title and summary of each explainer and variant, those on demand under a heading."""
    live: list[tuple[Any, str, str]] = []
    on_demand: list[tuple[Any, str, str]] = [(HEADING, _("On demand"), "")]
    for name, info in EXPLAINERS.items():
        rows = on_demand if info.on_demand else live
        rows.append(((name, ()), _(info.title), _(info.summary)))
        if info.on_demand:
            continue
        for key, setting in info.settings.items():
            for value in setting.choices:
                if value != setting.default:
                    title = f"{_(info.title)} ({value})"
                    rows.append(((name, ((key, value),)), title, _(info.summary)))
    return live + on_demand


def with_twins(rows: list[tuple[Any, str, str]], current: str, reason: str) -> list[tuple[Any, str, str]]:
    """Return the rows with both of `TWINS` as one, where the present one stands, and `reason` as its summary."""
    if current not in TWINS:
        return rows
    title = " = ".join(_(EXPLAINERS[name].title) for name in TWINS)
    (other,) = (name for name in TWINS if name != current)
    return [
        (value, title, reason) if value == (current, ()) else (value, own, summary)
        for value, own, summary in rows
        if value != (other, ())
    ]
