import numpy as np
import pytest
from scipy.special import expit

from allxai_desktop.proposing.outlines import on_edges, vacuoles_on_edges, without_specks

AWAY = np.hypot(*(np.indices((80, 80)) - 39.5))
NUCLEUS, CYTOPLASM, BACKGROUND = (80, 40, 130), (190, 160, 215), (240, 235, 220)


def cell(nucleus, rim):
    """A nucleus and its cell, discs of such radii in pixels, on the background."""
    inside, lit = (nucleus > AWAY)[..., None], (rim > AWAY)[..., None]
    return np.where(inside, NUCLEUS, np.where(lit, CYTOPLASM, BACKGROUND)).astype(np.uint8)


def likely(nucleus, rim):
    """Probabilities of such a cell, that of nucleus falling off gently around its outline."""
    found = np.full((80, 80, 5), 0.01)
    found[..., 1] = np.where(rim > AWAY, 0.95, 0.01)
    found[..., 4] = np.where(rim > AWAY, 0.01, 0.95)
    dark = expit((nucleus - AWAY) / 2)[..., None]
    found = found * (1 - dark)
    found[..., :1] += dark
    return (found / found.sum(axis=2, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("drawn", [13, 23])
def test_a_nucleus_drawn_too_small_or_too_large_begins_where_its_dye_begins(drawn):
    found = on_edges(cell(18, 32), likely(drawn, 32)).argmax(axis=2) == 0
    assert found.sum() == pytest.approx((AWAY < 18).sum(), rel=0.08)


def test_the_outline_of_the_cell_is_no_edge_of_its_nucleus():
    pixels = cell(18, 24)
    # Darker than the rim of the nucleus would let the outline of the cell be the strongest edge.
    pixels[(AWAY >= 18) & (AWAY < 24)] = (120, 85, 160)
    found = on_edges(pixels, likely(19, 24)).argmax(axis=2) == 0
    assert found.sum() == pytest.approx((AWAY < 18).sum(), rel=0.08)


def test_what_is_moved_still_adds_up_to_one():
    found = on_edges(cell(18, 32), likely(23, 32))
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)


def test_a_large_nucleus_begins_where_its_dye_begins_too():
    twice = [np.repeat(np.repeat(plane, 3, axis=0), 3, axis=1) for plane in (cell(18, 32), likely(23, 32))]
    found = on_edges(*twice).argmax(axis=2) == 0
    assert found.sum() == pytest.approx(9 * (AWAY < 18).sum(), rel=0.08)


def test_a_nucleus_that_is_doubted_all_over_begins_where_its_dye_begins():
    first = likely(13, 32)
    first[..., 1] += 0.35 * first[..., 0]
    first[..., 0] *= 0.65
    found = on_edges(cell(18, 32), first).argmax(axis=2) == 0
    assert found.sum() == pytest.approx((AWAY < 18).sum(), rel=0.08)


def test_a_cytoplasm_full_of_vacuoles_is_one_too():
    found = on_edges(cell(18, 32), likely(13, 32)[..., [0, 2, 1, 3, 4]]).argmax(axis=2) == 0
    assert found.sum() == pytest.approx((AWAY < 18).sum(), rel=0.08)


def test_a_short_edge_counts_more_than_a_longer_one_that_is_less_steep():
    pixels = cell(10, 32)
    pixels[(AWAY >= 10) & (AWAY < 17)] = (146, 112, 181)
    found = on_edges(pixels, likely(13, 32)).argmax(axis=2) == 0
    assert found.sum() == pytest.approx((AWAY < 10).sum(), rel=0.1)


def test_where_no_outline_lies_on_an_edge_nothing_is_moved():
    first = likely(-99, 32)
    first[AWAY < 8] = (0.999, 0.001, 0, 0, 0)
    # With any outline as good, the farthest would take this for nucleus.
    first[(AWAY >= 25) & (AWAY < 30)] = (0.1, 0.86, 0.01, 0.02, 0.01)
    np.testing.assert_allclose(on_edges(cell(18, 32), first), first, atol=1e-3)


def test_a_nucleus_without_any_doubt_is_one():
    first = likely(-99, 32)
    first[AWAY < 18] = (1, 0, 0, 0, 0)
    found = on_edges(cell(18, 32), first).argmax(axis=2) == 0
    np.testing.assert_array_equal(found, AWAY < 18)


@pytest.mark.parametrize(("nucleus", "rim"), [(-99, 32), (18, 0)])
def test_without_a_nucleus_or_a_cytoplasm_nothing_is_moved(nucleus, rim):
    first = likely(nucleus, rim)
    np.testing.assert_array_equal(on_edges(cell(18, 32), first), first)


def test_where_nucleus_and_cytoplasm_have_one_colour_nothing_is_moved():
    first = likely(18, 32)
    np.testing.assert_array_equal(on_edges(np.full((80, 80, 3), 120, np.uint8), first), first)


def test_an_image_of_one_row_is_looked_at_too():
    row = [np.repeat(plane[40:41], 3, axis=1) for plane in (cell(18, 32), likely(23, 32))]
    assert (on_edges(*row).argmax(axis=2) == 0).sum() == pytest.approx(3 * 36, abs=3)


def test_a_speck_in_a_nucleus_is_a_part_of_it():
    first = likely(18, 32)
    first[38:41, 38:41] = (0.3, 0.66, 0.01, 0.02, 0.01)
    assert (without_specks(first)[38:41, 38:41].argmax(axis=2) == 0).all()


def test_a_vacuole_stays():
    first = likely(18, 32)
    first[38:41, 60:63] = (0.01, 0.3, 0.66, 0.02, 0.01)
    found = without_specks(first)
    np.testing.assert_array_equal(found[..., 2], first[..., 2])
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-3)


def test_where_nothing_is_likely_a_nucleus_specks_stay():
    first = likely(-99, 32)
    np.testing.assert_array_equal(without_specks(first), first)


def with_vacuoles(pale, drawn, inside=BACKGROUND):
    """A cell that is pale in some pixels (80, 80), and one whose vacuoles are proposed in others."""
    pixels, first = cell(0, 38), likely(-99, 38)
    pixels[pale] = inside
    first[drawn] = (0, 0.25, 0.75, 0, 0)
    return pixels, first


def test_a_vacuole_that_reaches_into_the_cytoplasm_ends_where_it_is_no_longer_pale():
    pixels, first = with_vacuoles(AWAY < 5, AWAY < 8)
    found = vacuoles_on_edges(pixels, first)
    np.testing.assert_array_equal(found.argmax(axis=2) == 2, AWAY < 5)
    np.testing.assert_allclose(
        found[(AWAY >= 5) & (AWAY < 8)], [[0, 1, 0, 0, 0]] * ((AWAY < 8) & (AWAY >= 5)).sum()
    )


def test_vacuoles_that_were_drawn_as_one_part():
    pale = np.zeros((80, 80), bool)
    pale[20:26, 20:26] = pale[20:26, 32:38] = True
    drawn = np.zeros((80, 80), bool)
    drawn[19:27, 19:39] = True
    found = vacuoles_on_edges(*with_vacuoles(pale, drawn))
    np.testing.assert_array_equal(found.argmax(axis=2) == 2, pale)


def test_a_vacuole_of_the_right_size_stays():
    pixels, first = with_vacuoles(AWAY < 8, AWAY < 8)
    np.testing.assert_array_equal(vacuoles_on_edges(pixels, first), first)


def test_what_is_drawn_as_vacuole_and_darker_than_its_cell_stays():
    pixels, first = with_vacuoles(AWAY < 5, AWAY < 8, inside=NUCLEUS)
    np.testing.assert_array_equal(vacuoles_on_edges(pixels, first), first)


def test_a_vacuole_without_a_cell_around_stays():
    pixels, first = with_vacuoles(AWAY < 5, AWAY < 38)
    np.testing.assert_array_equal(vacuoles_on_edges(pixels, first), first)
