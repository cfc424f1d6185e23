import numpy as np
import torch

from allxai_desktop.proposing.adapting import adapting, dyed_as_learnt


def pale_nuclei(dye, size=20):
    """A tenth of an image whose nuclei let exp(-dye) of a lamp of 200 pass."""
    pixels = np.full((size, size, 3), 199, np.uint8)
    pixels[:2] = round(200 * np.exp(-dye)) - 1
    nuclei = np.zeros((size, size), bool)
    nuclei[:2] = True
    return pixels, nuclei


def test_pale_nuclei_become_as_dark_as_those_that_were_learnt():
    found = dyed_as_learnt(*pale_nuclei(0.4))

    np.testing.assert_allclose(found[0, 0], 200 * np.exp(-0.65) - 1, atol=0.5)
    np.testing.assert_allclose(found[10, 10], 199, atol=1e-3)


def test_dark_nuclei_become_paler():
    found = dyed_as_learnt(*pale_nuclei(1.0))

    np.testing.assert_allclose(found[0, 0], 200 * np.exp(-0.65) - 1, atol=0.5)


def test_next_to_no_dye_is_not_enlarged_without_bounds():
    found = dyed_as_learnt(*pale_nuclei(0.1))

    np.testing.assert_allclose(found[0, 0], 200 * np.exp(-0.25) - 1, atol=1)


def test_without_nuclei_an_image_stays():
    pixels, nuclei = pale_nuclei(0.4)

    assert (dyed_as_learnt(pixels, ~nuclei & nuclei) == pixels).all()


def test_batch_norm_takes_a_tenth_of_what_it_is_shown():
    norm = torch.nn.BatchNorm2d(1, eps=0).eval()
    module = torch.nn.Sequential(torch.nn.Sequential(norm))
    shown = torch.tensor([8.0, 12.0]).view(1, 1, 1, 2)

    with torch.inference_mode():
        found = adapting(module)(shown)

    # Mean 0.9 · 0 + 0.1 · 10, variance 0.9 · 1 + 0.1 · 4.
    np.testing.assert_allclose(found.flatten(), (np.array([8, 12]) - 1) / np.sqrt(1.3), rtol=1e-6)
    assert float(norm.running_mean) == 0
