"""napari's reader of our mask files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from allxai_desktop.masks.npz import load_mask
from napari_allxai_annotate.canvas import mask_colormap

LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Return the reader where every path is an `.npz` with an array `mask`, else None."""
    return read_masks if all(_has_mask(Path(one)) for one in _paths(path)) else None


def read_masks(path: str | Sequence[str]) -> list[LayerData]:
    """Return a labels layer for each mask. Raises `MaskError` for a file that is none."""
    layers: list[LayerData] = []
    for one in _paths(path):
        mask = load_mask(one)
        settings = {
            "name": Path(one).stem,
            "colormap": mask_colormap(),
            "opacity": 0.5,
            "metadata": {"allxai_mask": mask.meta},
        }
        layers.append((mask.codes, settings, "labels"))
    return layers


def _paths(path: str | Sequence[str]) -> list[str]:
    return [path] if isinstance(path, str) else list(path)


def _has_mask(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "mask.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
