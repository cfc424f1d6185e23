"""The levels of a pyramid as arrays that never keep the screen waiting: the overview stands in for what is not read."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.slides.pyramid import Level, Pyramid, Tile
from allxai_desktop.tasks import Dispatch, at_once

_AT_ONCE = 12
_LATEST = 256
"""How many tiles are waited for at most: those asked for before have been left behind by the camera."""


class Shown:
    """What of a pyramid is looked at. `levels` are arrays (H, W, 3), the largest first, that can be sliced.

    Tiles are read on a thread, those asked for last first; `arrived` is emitted through `dispatch` when some came.
    """

    arrived = Signal()

    def __init__(self, pyramid: Pyramid, dispatch: Dispatch = at_once) -> None:
        self.pyramid = pyramid
        self.levels = [LevelView(self, level) for level in pyramid.levels]
        self._dispatch = dispatch
        self._wanted: list[tuple[Level, Tile]] = []
        self._condition = threading.Condition()
        self._closed = False
        self._reader = threading.Thread(target=self._read, name="tiles", daemon=True)
        self._reader.start()

    def ask(self, level: Level, tiles: list[Tile]) -> None:
        """Have tiles read, before all that were asked for earlier."""
        with self._condition:
            again = {(level, tile) for tile in tiles}
            self._wanted = [one for one in self._wanted if one not in again][-_LATEST:]
            self._wanted += [(level, tile) for tile in tiles]
            self._condition.notify()

    def close(self) -> None:
        """Stop reading."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._reader.join()

    def _read(self) -> None:
        came = 0
        while True:
            with self._condition:
                while not self._wanted and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                level, tile = self._wanted.pop()
            level.fetch(tile)
            came += 1
            # Drawn anew at each of them, the screen would have no time for anything else.
            if came % _AT_ONCE == 0 or not self._wanted:
                self._dispatch(self._tell)

    def _tell(self) -> None:
        if not self._closed:
            self.arrived.emit()


class LevelView:
    """A level as napari wants it: an array that is read where it is sliced."""

    def __init__(self, shown: Shown, level: Level) -> None:
        self._shown = shown
        self._level = level
        self.shape = (level.height, level.width, 3)
        self.ndim = 3
        self.dtype = np.dtype(np.uint8)
        self.size = level.height * level.width * 3
        self._whole = shown.pyramid.overview if level is shown.pyramid.levels[-1] else None

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        if self._whole is not None:
            whole: NDArray[np.uint8] = self._whole[key]
            return whole
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in keys:
            at = keys.index(Ellipsis)
            keys = (*keys[:at], *(slice(None),) * (4 - len(keys)), *keys[at + 1 :])
        keys = (*keys, *(slice(None),) * (3 - len(keys)))
        rows, columns = (
            range(*one.indices(length)) if isinstance(one, slice) else range(int(one), int(one) + 1)
            for one, length in zip(keys[:2], self.shape[:2], strict=True)
        )
        part = self._part(rows, columns)
        inner = tuple(slice(None) if isinstance(one, slice) else 0 for one in keys[:2])
        return part[(*inner, keys[2])]

    def _part(self, rows: range, columns: range) -> NDArray[np.uint8]:
        if not len(rows) or not len(columns):
            return np.empty((len(rows), len(columns), 3), np.uint8)
        level, overview = self._level, self._shown.pyramid.overview
        low_rows = np.array(rows) * overview.shape[0] // self.shape[0]
        low_columns = np.array(columns) * overview.shape[1] // self.shape[1]
        part: NDArray[np.uint8] = overview[low_rows[:, None], low_columns]
        top, left = rows[0], columns[0]
        tiles = level.tiles(top, left, rows[-1] - top + 1, columns[-1] - left + 1)
        missing = []
        for tile in tiles:
            pixels = level.known(tile)
            if pixels is None:
                missing.append(tile)
            elif rows.step == columns.step == 1:
                level.paste(tile, pixels, part, top, left)
        if missing:
            self._shown.ask(level, missing)
        return part
