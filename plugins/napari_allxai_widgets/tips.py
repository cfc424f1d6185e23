"""Tooltips of sentences."""

from __future__ import annotations

from html import escape


def wrapped(text: str) -> str:
    """Return a tooltip whose lines are broken where they are long: Qt does so in rich text alone."""
    return f"<qt>{escape(text, quote=False)}</qt>".replace("\n", "<br>")
