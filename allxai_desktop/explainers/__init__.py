"""Explainers of any traceable network. Naming them does not import torch; `attribute` does."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allxai_desktop.explainers.api import Attribution, attribute

__all__ = ["Attribution", "attribute"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from allxai_desktop.explainers import api

    return getattr(api, name)
