import numpy as np

from allxai_desktop.proposing.proposal import proposal_from


def test_the_likeliest_class_is_proposed_and_the_margin_to_the_next_is_its_certainty():
    found = proposal_from(np.array([[[0.6, 0.3, 0.1, 0, 0], [0, 0, 0, 0, 1]]], np.float32), "network")

    assert found.codes.tolist() == [[1, 5]]
    np.testing.assert_allclose(found.uncertainty, [[0.7, 0]], atol=1e-6)
    assert (found.codes.dtype, found.uncertainty.dtype) == (np.uint8, np.float32)
