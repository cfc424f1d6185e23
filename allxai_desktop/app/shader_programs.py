"""Keeps vispy's shader programs where only values change.

vispy 0.17 compiles the program of an image anew for every colour map, though two maps of one kind differ in a table
only, which is a texture; and that of a mesh for every change of its corners. Without a graphics card each costs as
much as a whole frame.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from vispy.visuals.image import ImageVisual
from vispy.visuals.mesh import MeshVisual
from vispy.visuals.shaders import Function, FunctionChain

_compose_for_image = ImageVisual._build_color_transform
_compose_for_mesh = MeshVisual._build_color_transform
_kept: WeakKeyDictionary[Any, tuple[str, FunctionChain]] = WeakKeyDictionary()
_unchanged = Function("vec4 unchanged(vec4 color) { return color; }")


def keep_programs() -> None:
    """Patch vispy for this process. What it draws stays the same."""
    ImageVisual._build_color_transform = _of_image
    MeshVisual._build_color_transform = _of_mesh


def _of_image(image: Any) -> FunctionChain:
    if image._data.ndim != 2:
        return _compose_for_image(image)
    code, chain = _kept.get(image, ("", None))
    if chain is None or code != image.cmap.glsl_map:
        chain = _compose_for_image(image)
        _kept[image] = image.cmap.glsl_map, chain
    _luminance, limits, gamma, _table = chain.functions
    limits["clim"] = image._texture.clim_normalized
    gamma["gamma"] = image.gamma
    return chain


def _of_mesh(mesh: Any, colors: Any) -> Function:
    by_value = colors.ndim == 2 and colors.shape[1] == 1
    return _compose_for_mesh(mesh, colors) if by_value else _unchanged
