import numpy as np
import pytest
import tifffile

from allxai_desktop.slides import pyramid as module
from allxai_desktop.slides.pyramid import Pyramid
from allxai_desktop.slides.viewing import Shown

TILE = 32


@pytest.fixture
def pixels():
    rows, columns = np.mgrid[:128, :160]
    return np.stack([rows, columns, rows + columns], axis=2).astype(np.uint8)


@pytest.fixture
def shown(tmp_path, pixels, pump, monkeypatch):
    monkeypatch.setattr(module, "MAX_OVERVIEW", 2_000)
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as tif:
        for step in (1, 2, 4):
            tif.write(pixels[::step, ::step], photometric="rgb", tile=(TILE, TILE), compression="zlib")
    made = Shown(Pyramid(path), pump)
    yield made
    made.close()


def test_the_levels_have_the_sizes_of_the_file(shown):
    assert [level.shape for level in shown.levels] == [(128, 160, 3), (64, 80, 3), (32, 40, 3)]


def test_what_is_not_read_yet_is_shown_from_the_overview(shown, pixels):
    part = shown.levels[0][10:50, 20:90]
    assert np.array_equal(part, pixels[(np.arange(10, 50) // 4 * 4)[:, None], np.arange(20, 90) // 4 * 4])


def test_what_was_read_is_shown_as_it_is(shown, pixels, pump):
    told = []
    shown.arrived.connect(lambda: told.append(True))
    level = shown.levels[0]
    level[10:50, 20:90]
    pump.until(lambda: told and np.array_equal(level[10:50, 20:90], pixels[10:50, 20:90]))


@pytest.mark.parametrize(
    "key",
    [np.s_[5, 7], np.s_[:, :, 1], np.s_[..., 0], np.s_[3], np.s_[4:9, 6], np.s_[8:8, :]],
)
def test_the_coarsest_level_and_any_other_are_sliced_as_arrays_are(shown, pixels, pump, key):
    for level, step in zip(shown.levels, (1, 2, 4), strict=True):
        whole = pixels[::step, ::step]
        assert level[key].shape == whole[key].shape
        pump.until(lambda level=level, whole=whole: np.array_equal(level[key], whole[key]))


def test_a_tile_that_cannot_be_read_is_grey(shown, monkeypatch, pump):
    monkeypatch.setattr(Pyramid, "content", lambda *_args: b"nothing")
    level = shown.levels[0]
    pump.until(lambda: (level[:TILE, :TILE] == 128).all())
