import tracemalloc

import numpy as np
import pytest

from allxai_desktop.painting import tiles as module
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.tiles import Tiles, bands, combined, count_labelled, equal, flat, highest

SHAPE = (10, 11)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Tiles of 4 px: three rows and three columns of them, the last ones cut off."""
    monkeypatch.setattr(module, "SIDE", 4)


def at(*indices):
    return np.array(indices, np.int64)


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(0, 6, SHAPE, np.uint8)


def tiled(array):
    made = Tiles(array.shape, array.dtype)
    for top in range(0, len(array), 4):
        made.put_band(top, array[top : top + 4])
    return made


def counts(array):
    return np.bincount(array.reshape(-1), minlength=256).tolist()


def test_what_is_empty_takes_no_memory_and_is_zero():
    empty = Tiles(SHAPE)
    assert empty.nbytes == 0
    assert not empty.any()
    assert empty.counts[0] == 110
    assert not empty[:, :].any()


@pytest.mark.parametrize(
    "key",
    [
        (slice(None), slice(None)),
        (slice(3, 5), slice(2, 9)),
        (slice(8, 30), slice(10, None)),
        (slice(1, 10, 3), slice(0, 11, 5)),
        (slice(5, 5), slice(0, 3)),
    ],
)
def test_parts_are_those_of_the_array(array, key):
    assert np.array_equal(tiled(array)[key], array[key])


def test_single_pixels_are_read(array):
    made = tiled(array)
    assert [made[row, column] for row, column in np.ndindex(SHAPE)] == array.reshape(-1).tolist()


@pytest.mark.parametrize("piece", [2, 100])
def test_pixels_are_written_by_flat_indices_and_counted(array, monkeypatch, piece):
    monkeypatch.setattr(module, "_PIECE", piece)
    made = tiled(array)
    indices, values = at(0, 3, 4, 47, 109), np.array([5, 4, 3, 2, 1], np.uint8)
    assert flat(made)[indices].tolist() == array.reshape(-1)[indices].tolist()
    flat(made)[indices] = values
    array.reshape(-1)[indices] = values
    assert np.array_equal(made[:, :], array)
    assert made.counts.tolist() == counts(array)


def test_whole_rows_are_written(array):
    made = Tiles(SHAPE)
    rows = slice(3 * 11, 6 * 11)
    flat(made)[rows] = array[3:6].reshape(-1)
    assert flat(made)[rows].tolist() == array[3:6].reshape(-1).tolist()
    assert not made[:3, :].any()
    assert np.array_equal(made[3:6, :], array[3:6])
    assert made.counts[0] == 77 + np.count_nonzero(array[3:6] == 0)


def test_tiles_in_rows_written_to_that_keep_what_they_have_take_no_memory():
    made, rows = Tiles(SHAPE), np.zeros((4, 11), np.uint8)
    rows[1, 5] = 2
    flat(made)[slice(0, 44)] = rows.reshape(-1)
    assert made[1, 5] == 2
    assert made.nbytes == 4 * 4


def test_a_large_edit_takes_less_memory_than_its_indices(monkeypatch):
    monkeypatch.setattr(module, "SIDE", 512)
    made, indices = Tiles((2000, 1000)), np.arange(2_000_000)
    tracemalloc.start()
    flat(made)[indices] = 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.counts[5] == 2_000_000
    assert peak < indices.nbytes


def test_only_the_tiles_written_to_take_memory():
    made = Tiles(SHAPE)
    flat(made)[at(0, 10)] = 2
    assert made.nbytes == 2 * 4 * 4


def test_a_tile_of_one_value_takes_no_memory():
    made = tiled(np.full(SHAPE, 5, np.uint8))
    assert made.nbytes == 0
    assert made.counts[5] == 110


def test_a_copy_stays_as_it_is(array):
    made = tiled(array)
    copy = made.copy()
    flat(made)[at(0)] = (array[0, 0] + 1) % 6
    flat(copy)[at(109)] = (array[9, 10] + 1) % 6
    assert copy[0, 0] == array[0, 0]
    assert made[9, 10] == array[9, 10]
    assert copy.counts.tolist() == counts(copy[:, :])


def test_a_copy_of_what_was_just_written_to_stays_as_it_is():
    tiles = Tiles(SHAPE)
    tiles.flat[at(0)] = 1
    copy = tiles.copy()
    tiles.flat[at(1)] = 2
    copy.flat[at(2)] = 3
    assert tiles[0:1, 0:3].tolist() == [[1, 2, 0]]
    assert copy[0:1, 0:3].tolist() == [[1, 0, 3]]


def test_bands_are_the_rows_from_top_to_bottom(array):
    assert [len(band) for band in bands(tiled(array))] == [4, 4, 2]
    assert np.array_equal(np.concatenate(list(bands(tiled(array)))), array)
    assert [band is array for band in bands(array)] == [True]


@pytest.mark.parametrize("kind", [np.array, tiled])
def test_a_function_of_each_pixel(array, kind):
    other = np.zeros(SHAPE, bool)
    other[:5] = True
    found = combined(lambda codes, flags: (codes > 2) & flags, kind(array), kind(other))
    assert found.dtype == bool
    assert np.array_equal(found[:, :], (array > 2) & other)
    assert count_labelled(found) == np.count_nonzero(array[:5] > 2)


@pytest.mark.parametrize("kind", [np.array, tiled])
def test_what_is_equal_is_so_in_each_pixel(array, kind):
    assert equal(kind(array), kind(array.copy()))
    other = array.copy()
    other[9, 10] ^= 1
    assert not equal(kind(array), kind(other))
    assert not equal(kind(array), kind(array[:9]))


def test_a_mask_in_tiles_is_not_one_in_memory(array):
    assert not equal(array, tiled(array))


def test_the_highest_code():
    assert highest(Tiles(SHAPE)) == 0
    assert highest(tiled(np.full(SHAPE, 3, np.uint8))) == 3
    assert highest(np.empty((0, 0), np.uint8)) == 0


def test_what_is_painted_undone_and_accepted_is_as_on_an_array(array):
    models = [PaintModel(array), PaintModel(array)]
    models[1].new_image(tiled(array), None)
    assert [model.whole for model in models] == [True, False]
    rng = np.random.default_rng(1)

    def same():
        first, second = models
        assert np.array_equal(first.mask, second.mask[:, :])
        assert first.labelled == second.labelled
        if first.accepted is None:
            assert second.accepted is None
        else:
            assert np.array_equal(first.accepted, second.accepted[:, :])

    for number in range(6):
        indices = np.unique(rng.integers(0, 110, 20))
        for model in models:
            model.begin_stroke("proposal" if number % 2 else "human")
            model.apply(indices, number)
            model.end_stroke()
        same()
    for _step in range(3):
        for model in models:
            model.undo()
        same()
    for model in models:
        model.redo()
    same()


def test_a_slide_has_no_array(array):
    model = PaintModel()
    model.new_image(tiled(array))
    with pytest.raises(ValueError, match="slide"):
        _ = model.codes
    with pytest.raises(ValueError, match="slide"):
        _ = model.person
    with pytest.raises(ValueError, match="codes 0 to 5"):
        model.new_image(tiled(np.full(SHAPE, 6, np.uint8)))
