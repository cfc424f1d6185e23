"""Masks too large for memory: of the tiles, only those that are not all of one value take any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.images import CellImage
from allxai_desktop.painting.history import Place

SIDE = 512
"""Rows and columns of a tile."""
Tile = tuple[int, int]
# So many indices are split among the tiles at a time: a large edit would take ten times its size for it.
_PIECE = 1 << 16


class Tiles:
    """An array (H, W) of uint8 or bool that is zero where nothing was written, and is read as arrays are.

    `codes[row, column]` is a number, `codes[rows, columns]` with two slices an array. It is written through `flat`.
    """

    ndim = 2

    def __init__(self, shape: tuple[int, int], dtype: Any = np.uint8) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.counts = np.zeros(2 if self.dtype == bool else 256, np.int64)
        """How many pixels have each value."""
        self.counts[0] = self.size
        self._tiles: dict[Tile, NDArray[Any]] = {}
        self._blank = _uniform(0, self.dtype)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """How much memory the tiles take."""
        return sum(tile.nbytes for tile in self._tiles.values() if 0 not in tile.strides)

    def any(self) -> bool:
        """Return whether anything is not zero."""
        return bool(self.counts[0] < self.size)

    def copy(self) -> Tiles:
        """Return a copy, which takes memory only for the tiles that are written to afterwards, here or there."""
        found = Tiles(self.shape, self.dtype)
        found.counts = self.counts.copy()
        for at, tile in self._tiles.items():
            if tile.flags.writeable:
                self._tiles[at] = _packed(tile)
        found._tiles = self._tiles.copy()
        return found

    def combined(self, function: Callable[..., NDArray[Any]], *others: Tiles) -> Tiles:
        """Return what a `function`, element by element, makes of this and of `others` of the same shape.

        It has to make zero of zeros.
        """
        whole = (self, *others)
        found = Tiles(self.shape, function(*(one._blank[:1, :1] for one in whole)).dtype)
        for at in sorted(set().union(*(one._tiles for one in whole))):
            parts = [one._tile(at) for one in whole]
            same = all(0 in part.strides for part in parts)
            made = function(*(part[:1, :1] if same else part for part in parts))
            found._put(at, _uniform(made[0, 0], found.dtype) if same else _packed(made))
        return found

    def __getitem__(self, key: tuple[Any, Any]) -> Any:
        if not isinstance(key[0], slice):
            row, column = (int(one) for one in key)
            return self._tile((row // SIDE, column // SIDE))[row % SIDE, column % SIDE]
        rows, columns = (range(*one.indices(length)) for one, length in zip(key, self.shape, strict=True))
        found = np.zeros((len(rows), len(columns)), self.dtype)
        for (top, down), tile_row in _parts(rows):
            for (left, across), tile_column in _parts(columns):
                tile = self._tiles.get((tile_row, tile_column))
                if tile is not None:
                    found[top, left] = tile[down, across]
        return found

    def bands(self) -> Iterator[NDArray[Any]]:
        """Yield the rows from top to bottom, as many at a time (n, W) as a tile has."""
        for top in range(0, self.shape[0], SIDE):
            yield self[top : top + SIDE, :]

    def put_band(self, top: int, values: NDArray[Any]) -> None:
        """Set the next `SIDE` rows from `top`, a multiple of that, or those that are left: (n, W), once."""
        for left in range(0, self.shape[1], SIDE):
            part = values[:, left : left + SIDE]
            if part.any():
                # Beyond the image a tile goes on as it ends, so that one of a single value is one to the edge.
                missing = [(0, SIDE - length) for length in part.shape]
                self._put((top // SIDE, left // SIDE), _packed(np.pad(part, missing, mode="edge")))

    @property
    def flat(self) -> Flat:
        """What reads and writes pixels by their flat indices."""
        return Flat(self)

    def _tile(self, at: Tile) -> NDArray[Any]:
        return self._tiles.get(at, self._blank)

    def _writable(self, at: Tile) -> NDArray[Any]:
        tile = self._tile(at)
        if not tile.flags.writeable:
            # Of one value, or shared with a copy.
            tile = self._tiles[at] = tile.copy()
        return tile

    def _put(self, at: Tile, tile: NDArray[Any]) -> None:
        self._tiles[at] = tile
        inside = tile[: self.shape[0] - at[0] * SIDE, : self.shape[1] - at[1] * SIDE]
        self.counts[0] -= inside.size
        if 0 in tile.strides:
            self.counts[int(tile[0, 0])] += inside.size
        else:
            self.counts += np.bincount(inside.reshape(-1), minlength=len(self.counts))


class Flat:
    """The pixels of `Tiles` by their flat indices: an array of them (n,), or a slice that covers whole rows."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    def __getitem__(self, place: Place) -> NDArray[Any]:
        tiles, width = self._tiles, self._tiles.shape[1]
        if isinstance(place, slice):
            rows: NDArray[Any] = tiles[place.start // width : place.stop // width, :]
            return rows.reshape(-1)
        found = np.empty(len(place), tiles.dtype)
        for at, chosen, inner in self._split(place):
            found[chosen] = tiles._tile(at)[inner]
        return found

    def __setitem__(self, place: Place, values: Any) -> None:
        values = np.asarray(values, self._tiles.dtype)
        if isinstance(place, slice):
            self._set_rows(place, values)
            return
        for at, chosen, inner in self._split(place):
            self._set_part(at, inner, values[chosen] if values.ndim else values)

    def _set_rows(self, place: slice, values: NDArray[Any]) -> None:
        width = self._tiles.shape[1]
        whole = np.broadcast_to(values, place.stop - place.start).reshape(-1, width)
        for (top, down), tile_row in _parts(range(place.start // width, place.stop // width)):
            for (left, across), tile_column in _parts(range(width)):
                self._set_part((tile_row, tile_column), (down, across), whole[top, left])

    def _set_part(self, at: Tile, inner: tuple[Any, Any], values: NDArray[Any]) -> None:
        tiles = self._tiles
        before = tiles._tile(at)[inner]
        if (before == values).all():
            # Large edits are of whole rows, of which most tiles keep what they have.
            return
        for sign, part in ((-1, before), (1, np.broadcast_to(values, before.shape))):
            tiles.counts += sign * np.bincount(part.reshape(-1), minlength=len(tiles.counts))
        tiles._writable(at)[inner] = values

    def _split(self, indices: NDArray[np.int64]) -> Iterator[tuple[Tile, Any, tuple[Any, Any]]]:
        """Yield the tiles that flat `indices` (n,) lie in, which of them, and where in the tile."""
        across = -(-self._tiles.shape[1] // SIDE)
        for begin in range(0, len(indices), _PIECE):
            rows, columns = np.divmod(indices[begin : begin + _PIECE], self._tiles.shape[1])
            numbers = rows // SIDE * across + columns // SIDE
            # Whole numbers of 16 bits are sorted in a time that grows with their number only.
            order = np.argsort(numbers.astype(np.min_scalar_type(numbers.max())), kind="stable")
            firsts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
            for chosen in np.split(order, firsts[1:]):
                at = divmod(int(numbers[chosen[0]]), across)
                yield at, chosen + begin, (rows[chosen] % SIDE, columns[chosen] % SIDE)


Codes = NDArray[np.uint8] | Tiles
"""The mask of an image that is in memory, or of one that is not."""
Flags = NDArray[np.bool_] | Tiles
"""What is noted of each of its pixels."""


def combined(function: Callable[..., NDArray[Any]], *arrays: NDArray[Any] | Tiles) -> Any:
    """Return what a `function`, element by element, makes of arrays (H, W) of one kind: of zeros, zero."""
    first, *others = arrays
    if isinstance(first, Tiles):
        return first.combined(function, *cast(list[Tiles], others))
    return function(*arrays)


def equal(first: NDArray[Any] | Tiles, second: NDArray[Any] | Tiles) -> bool:
    """Return whether two arrays are of one kind and size, and the same in each pixel."""
    if type(first) is not type(second) or first.shape != second.shape:
        return False
    return not combined(np.not_equal, first, second).any()


def flat(codes: NDArray[Any] | Tiles) -> Any:
    """Return what reads and writes the pixels of a mask by flat indices (n,) or by slices that cover whole rows."""
    return codes.flat if isinstance(codes, Tiles) else codes.reshape(-1)


def bands(codes: Codes) -> Iterator[NDArray[np.uint8]]:
    """Yield the rows of a mask from top to bottom, in parts (n, W) that fit into memory."""
    if isinstance(codes, Tiles):
        yield from codes.bands()
    else:
        yield codes


def count_labelled(codes: NDArray[Any] | Tiles) -> int:
    """Return how many pixels are not zero."""
    return codes.size - int(codes.counts[0]) if isinstance(codes, Tiles) else int(np.count_nonzero(codes))


def highest(codes: Codes) -> int:
    """Return the highest code, 0 where there is none."""
    values = np.flatnonzero(codes.counts) if isinstance(codes, Tiles) else codes
    return int(values.max(initial=0))


def empty_mask(image: CellImage) -> Codes:
    """Return the mask of an image of which nothing is painted."""
    return np.zeros(image.shape, np.uint8) if image.whole else Tiles(image.shape)


def _uniform(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a tile of one value, which takes no memory and cannot be written."""
    return np.broadcast_to(np.asarray(value, dtype), (SIDE, SIDE))


def _packed(tile: NDArray[Any]) -> NDArray[Any]:
    """Return a tile that is not written any more."""
    if (tile == tile[0, 0]).all():
        return _uniform(tile[0, 0], tile.dtype)
    tile.flags.writeable = False
    return tile


def _parts(places: range) -> Iterator[tuple[tuple[slice, slice], int]]:
    """Yield for each tile along one axis where its `places` are among all, where they are in it, and its number."""
    first = 0
    while first < len(places):
        number = places[first] // SIDE
        last = min(len(places), first + -(-((number + 1) * SIDE - places[first]) // places.step))
        inner = slice(places[first] % SIDE, places[last - 1] % SIDE + 1, places.step)
        yield (slice(first, last), inner), number
        first = last
