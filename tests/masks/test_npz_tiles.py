import numpy as np
import pytest

from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.masks.npz_tiles import load_tiles
from allxai_desktop.painting.tiles import Tiles

SHAPE = (600, 520)


@pytest.fixture
def codes():
    """Two rows and two columns of tiles, of which one is not painted."""
    made = Tiles(SHAPE)
    made.flat[np.arange(300, 900)] = 3
    made.flat[np.arange(599 * 520, 600 * 520)] = 5
    return made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "slide.npz"


def test_a_file_holds_the_whole_mask_for_any_program(path, codes):
    save_mask(path, codes)
    with np.load(path, allow_pickle=False) as file:
        assert file["mask"].dtype == np.uint8
        assert np.array_equal(file["mask"], codes[:, :])
    assert np.array_equal(load_mask(path).codes, codes[:, :])


def test_a_mask_comes_back_with_what_a_proposal_set(path, codes):
    accepted = Tiles(SHAPE, bool)
    accepted.flat[np.arange(310, 320)] = True
    save_mask(path, codes, accepted=accepted, annotator="A07")
    found = load_tiles(path, SHAPE)
    assert np.array_equal(found.codes[:, :], codes[:, :])
    assert found.codes.counts.tolist() == codes.counts.tolist()
    assert found.codes.nbytes == codes.nbytes
    assert np.array_equal(found.accepted[:, :], accepted[:, :])
    assert found.meta["annotator"] == "A07"
    assert found.meta["accepted_proposal_share"] == pytest.approx(10 / 1120)


def test_how_much_is_written_is_told(path, codes):
    told = []
    save_mask(path, codes, progress=told.append)
    assert told == [0, 512 / 600]


def test_the_slide_says_how_large_its_mask_is(path, codes):
    save_mask(path, codes)
    with pytest.raises(MaskError, match="damaged"):
        load_tiles(path, (520, 600))
    with pytest.raises(MaskError, match="more than"):
        load_tiles(path, (60, 52))


def test_a_foreign_code_is_refused(path):
    values = np.zeros(SHAPE, np.int16)
    values[599, 519] = 6
    np.savez_compressed(path, mask=values)
    with pytest.raises(MaskError, match=r"no class \(6\)"):
        load_tiles(path, SHAPE)


@pytest.mark.parametrize(
    "values", [np.zeros(SHAPE, np.float32), np.asfortranarray(np.zeros(SHAPE, np.uint8))]
)
def test_what_cannot_be_read_row_by_row_is_refused(path, values):
    np.savez_compressed(path, mask=values)
    with pytest.raises(MaskError):
        load_tiles(path, SHAPE)


def test_a_file_without_a_mask_is_refused(path):
    np.savez_compressed(path, other=np.zeros(3))
    with pytest.raises(MaskError, match="no array named"):
        load_tiles(path, SHAPE)
