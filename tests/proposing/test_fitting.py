import numpy as np
import pytest

from allxai_desktop.proposing.fitting import fit, margins


def test_the_margin_is_the_lead_of_the_likeliest_class():
    found = margins(np.array([[0.1, 0.6, 0.2, 0.05, 0.05], [0.2] * 5], np.float32))
    assert found == pytest.approx([0.4, 0])


def test_a_class_that_a_feature_tells_is_learnt():
    inputs = np.array([[1, 1], [-1, 1]], np.float32)
    wanted = np.eye(5, dtype=np.float32)[[0, 4]]
    found = fit(inputs, np.zeros((2, 5), np.float32), wanted, np.full(2, 0.5), np.full(2, 1e-4))
    assert (inputs @ found).argmax(axis=1).tolist() == [0, 4]


def test_what_the_offsets_say_already_needs_no_weights():
    wanted = np.full((3, 5), 0.2, np.float32)
    found = fit(np.ones((3, 1), np.float32), np.zeros((3, 5)), wanted, np.full(3, 1 / 3), np.ones(1))
    np.testing.assert_allclose(found, 0, atol=1e-7)
