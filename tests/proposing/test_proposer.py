import numpy as np
import pytest

from allxai_desktop.images import image_from_array
from allxai_desktop.proposing import proposer
from allxai_desktop.proposing.lessons import Correction
from allxai_desktop.proposing.proposer import Proposer, settled


def drawn_cell():
    """A dark nucleus in a violet cell, beside a red cell."""
    rows, columns = np.mgrid[:96, :96]
    pixels = np.full((96, 96, 3), 240, np.uint8)
    pixels[np.hypot(rows - 70, columns - 75) < 14] = (230, 150, 140)
    pixels[np.hypot(rows - 40, columns - 35) < 24] = (170, 140, 200)
    pixels[np.hypot(rows - 40, columns - 35) < 14] = (80, 40, 130)
    return image_from_array(pixels, "drawn.png")


def test_what_a_person_painted_stays():
    codes = np.zeros((96, 96), np.uint8)
    codes[40, 35], codes[2, 2] = 3, 2
    person = codes > 0
    person[10, 10] = True

    found = Proposer(drawn_cell()).update(codes, person)

    assert (found.codes[40, 35], found.codes[2, 2]) == (3, 2)
    assert (found.uncertainty[40, 35], found.uncertainty[2, 2]) == (0, 0)


def test_a_person_s_unlabelled_pixel_says_nothing():
    person = np.ones((96, 96), bool)

    found = Proposer(drawn_cell()).update(np.zeros((96, 96), np.uint8), person)

    assert (found.codes > 0).all()


@pytest.fixture
def without_network(monkeypatch):
    monkeypatch.setattr(proposer, "five_class_network", lambda: None)


def test_without_a_network_the_classical_method_proposes(without_network):
    found = Proposer(drawn_cell()).start()

    assert found.source == "classical"
    assert found.codes[40, [35, 54]].tolist() == [1, 2]
    assert found.codes[70, 75] == 4


def test_what_was_cut_away_around_a_cell_is_background(without_network):
    pixels = drawn_cell().pixels.copy()
    rows, columns = np.mgrid[:96, :96]
    pixels[np.hypot(rows - 40, columns - 35) >= 24] = 0

    found = Proposer(image_from_array(pixels, "cut.png")).start()

    assert found.codes[40, 35] == 1
    assert (found.codes[np.hypot(rows - 40, columns - 35) > 27] == 5).all()


def test_a_speck_that_is_likelier_something_else_is_what_lies_around_it(without_network, monkeypatch):
    first = proposer.classical_probabilities(drawn_cell().pixels)
    first[39:42, 34:37] = (0.3, 0.66, 0.01, 0.02, 0.01)
    monkeypatch.setattr(proposer, "classical_probabilities", lambda _pixels: first)

    assert (Proposer(drawn_cell()).start().codes[38:43, 33:38] == 1).all()


def test_a_nucleus_that_the_network_draws_too_small_begins_where_its_dye_begins(monkeypatch):
    first = proposer.classical_probabilities(drawn_cell().pixels)
    rows, columns = np.mgrid[:96, :96]
    away = np.hypot(rows - 40, columns - 35)
    dark = 1 / (1 + np.exp((away - 10) / 1.5))
    cell = away < 24
    first[cell] = 0.01
    first[cell, 0], first[cell, 1] = 0.97 * dark[cell], 0.97 * (1 - dark[cell])
    monkeypatch.setattr(proposer, "five_class_network", lambda: "network")
    monkeypatch.setattr(proposer, "network_probabilities", lambda *_given: first)
    # What the classical method and the colours say would mend it too.
    monkeypatch.setattr(proposer, "settled", lambda network, _classical: network)
    monkeypatch.setattr(proposer, "with_own_colours", lambda _pixels, probabilities: probabilities)

    found = Proposer(drawn_cell()).start()

    assert found.source == "network"
    assert (found.codes == 1).sum() == pytest.approx((away < 14).sum(), rel=0.05)


def test_a_vacuole_that_the_network_draws_too_large_ends_where_it_is_no_longer_pale(monkeypatch):
    rows, columns = np.mgrid[:96, :96]
    cell, nucleus, vacuole = (np.hypot(rows - 40, columns - column) for column in (35, 47, 25))
    pixels = np.full((96, 96, 3), 240, np.uint8)
    first = np.full((96, 96, 5), 0.01, np.float32)
    for place, colour in ((cell < 24, (170, 140, 200)), (nucleus < 8, (80, 40, 130)), (vacuole < 5, 240)):
        pixels[place] = colour
    for place, number in ((cell >= 24, 4), (cell < 24, 1), (nucleus < 8, 0), (vacuole < 9, 2)):
        first[place] = 0.01
        first[place, number] = 0.96
    monkeypatch.setattr(proposer, "five_class_network", lambda: "network")
    monkeypatch.setattr(proposer, "network_probabilities", lambda *_given: first)
    monkeypatch.setattr(proposer, "settled", lambda network, _classical: network)
    monkeypatch.setattr(proposer, "with_own_colours", lambda _pixels, probabilities: probabilities)

    found = Proposer(image_from_array(pixels, "vacuole.png")).start()

    assert (found.codes == 3).sum() == pytest.approx((vacuole < 5).sum(), rel=0.05)


def test_a_stroke_changes_more_than_itself(without_network):
    image = drawn_cell()
    codes = np.zeros((96, 96), np.uint8)
    codes[36:45, 31:40] = 2
    before, after = Proposer(image).start(), Proposer(image).update(codes, codes > 0)

    assert after.source == "classifier"
    assert (before.codes == 2).sum() + 2 * 81 < (after.codes == 2).sum()


def test_a_correction_changes_the_proposal_and_looks_at_the_image_no_second_time(
    without_network, monkeypatch
):
    image = drawn_cell()
    plain = Proposer(image)
    first = plain.start()
    all_background = np.full((96, 96), 5, np.uint8)
    taught = Correction([plain.lesson(all_background)])
    monkeypatch.setattr(proposer, "classical_probabilities", None)

    found = plain.corrected(taught).start()

    assert found.source == "study"
    assert (found.codes == 5).sum() > (first.codes == 5).sum()
    assert plain.corrected(None).start().source == "classical"


def test_a_vacuole_changes_nothing_but_itself(without_network):
    image = drawn_cell()
    codes = np.zeros((96, 96), np.uint8)
    codes[50:59, 31:40] = 3
    before, after = Proposer(image).start(), Proposer(image).update(codes, codes > 0)

    assert np.array_equal(after.codes, np.where(codes > 0, codes, before.codes))


def test_a_large_image_is_proposed_for_at_its_own_size(without_network, monkeypatch):
    monkeypatch.setattr(proposer, "_PIXELS", 48 * 48)
    codes = np.zeros((96, 96), np.uint8)
    codes[2, 3] = 3

    found = Proposer(drawn_cell()).update(codes, codes > 0)

    assert found.codes.shape == found.uncertainty.shape == (96, 96)
    assert found.codes[40, 35] == 1
    assert (found.codes[2, 3], found.uncertainty[2, 3]) == (3, 0)


def one(*values):
    return np.array([[values]], np.float32)


def test_where_the_network_is_sure_it_alone_counts():
    sure, other = one(0.98, 0.005, 0.005, 0.005, 0.005), one(0.1, 0, 0, 0.9, 0)
    assert settled(sure, other).argmax() == 0


def test_where_the_network_is_unsure_the_classical_method_decides():
    unsure, other = one(0.3, 0.3, 0, 0.29, 0.11), one(0.05, 0.9, 0, 0.05, 0)
    found = settled(unsure, other)
    assert found.argmax() == 1
    assert found.sum() == pytest.approx(1)


def test_where_the_network_misses_the_only_nucleus_it_does_not_count():
    network = np.zeros((10, 10, 5), np.float32)
    network[..., 4] = 1
    classical = network.copy()
    classical[3:6, 3:6] = (1, 0, 0, 0, 0)
    assert settled(network, classical) is classical


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (300, 2)])
def test_the_smallest_images_pass(without_network, shape):
    codes = np.zeros(shape, np.uint8)
    codes[0, 0] = 4
    maker = Proposer(image_from_array(np.full((*shape, 3), 200, np.uint8), "tiny.png"))

    assert maker.start().codes.shape == shape
    assert maker.update(codes, codes > 0).codes[0, 0] == 4


def test_where_a_person_painted_all_nothing_is_left_to_learn(without_network, monkeypatch):
    monkeypatch.setattr(proposer, "PixelClassifier", None)
    codes = np.full((96, 96), 4, np.uint8)

    found = Proposer(drawn_cell()).update(codes, codes > 0)

    assert (found.codes == 4).all()
    assert not found.uncertainty.any()
