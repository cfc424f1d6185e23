"""A network's card as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import Card

# What a part's figures are, in this order; the rest of a card's metrics is for programs.
_FIGURES = (
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced_accuracy"),
    ("sensitivity", "recall"),
    ("specificity", "specificity"),
    ("fn_of_all", "fn_of_all"),
    ("auc", "auc"),
    ("calibration_error", "calibration_error"),
    ("pixel_accuracy_mean", "pixel_accuracy_mean"),
    ("pixel_accuracy_pooled", "pixel_accuracy_pooled"),
)
# And those of each class of what draws.
_OVERLAPS = ("dice_pooled", "dice_mean", "iou_pooled", "iou_mean")


def card_lines(card: Card) -> list[str]:
    """Return what the card says, in the current language where it has one."""
    height, width = card.input_size
    lines = [
        card.title,
        f"  {_('name')}: {card.name}",
        f"  {_('architecture')}: {card.architecture}",
        f"  {_('input')}: {height}×{width}, {_('mean')} {_list(card.mean)}, {_('deviation')} {_list(card.std)}",
    ]
    if card.preprocessing:
        lines.append(f"  {_('preprocessing')}: {card.preprocessing}")
    lines += [
        f"  {_('classes')}: {', '.join(card.class_title(key) for key in card.classes)}",
        f"  {_('images')}: {card.domain_description}",
        f"  {_('licence')}: {card.licence}",
    ]
    for heading, facts in ((_("Data"), card.data), (_("Split"), card.split), (_("Training"), card.training)):
        if facts:
            lines += [heading, *_facts(facts)]
    for part, figures in card.metrics.items():
        lines += [_("Measured: {part}").format(part=part.replace("_", " ")), *_figures(figures)]
    if card.departures_from_paper:
        lines += [_("Departures from the source"), *(f"  {_(text)}" for text in card.departures_from_paper)]
    return lines


def _facts(facts: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    for key, value in facts.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _facts(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_list(value) if isinstance(value, (list, tuple)) else value}"


def _list(values: Any) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
    positive = figures.get("positive_class")
    if positive is not None:
        yield "  " + _("positive class: {name}").format(name=positive)
    for key in ("images", "groups"):
        if figures.get(key) is not None:
            yield f"  {_(key)}: {figures[key]}"
    estimates = figures.get("estimates", {})
    overall, of_class = estimates.get("overall", {}), estimates.get("by_class", {}).get(positive, {})
    for name, other in _FIGURES:
        found = overall.get(name) or of_class.get(other)
        if found is not None:
            yield f"  {name.replace('_', ' ')}: {_number(found['value'])}{_interval(found)}"
        elif isinstance(figures.get(name), float):
            yield f"  {name.replace('_', ' ')}: {_number(figures[name])}"
    for key, its in estimates.get("by_class", {}).items():
        for name in _OVERLAPS:
            if name in its:
                yield f"  {key}, {name.replace('_', ' ')}: {_number(its[name]['value'])}{_interval(its[name])}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _interval(found: Mapping[str, Any]) -> str:
    if found.get("low") is None or found.get("high") is None:
        return ""
    return f" ({found['low']:.4f}–{found['high']:.4f})"
