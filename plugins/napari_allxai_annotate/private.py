"""What napari's layers have no public way for, in one place: to be looked at with each new napari.

Two more need modules of their own: `brush` draws on the canvas without a layer, `contours` draws outlines in less time.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from napari.layers import Labels, Layer


def forget_history(layer: Labels) -> None:
    """Empty napari's history of a layer whose model has the history.

    A second one would hold each pixel twice and, undone by napari's own means, bring back pixels from before a step
    that was undone here.
    """
    layer._reset_history()


def gathers_history(layer: Labels) -> bool:
    """Whether changes are gathered into one step of history, as in a drag of napari's own tools."""
    held: bool = layer._block_history
    return held


def without_refresh(layer: Layer) -> AbstractContextManager[None]:
    """Have changes of a layer not sliced, measured and drawn one by one."""
    blocked: AbstractContextManager[None] = layer._block_refresh()
    return blocked


def measure_again(layer: Layer) -> None:
    """Forget how large a layer is: refreshing does it for a layer that is seen only."""
    layer._clear_extent()


def keep_no_level(layer: Labels) -> None:
    """Have a layer of several levels read the smallest one anew each time, and not keep it as it is now."""
    layer._level_materializer = None
