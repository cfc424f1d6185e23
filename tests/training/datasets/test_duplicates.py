import numpy as np
import pytest
import torch

from allxai_desktop.training.datasets.duplicates import (
    difference_hash,
    fingerprint,
    group_fingerprints,
    merge_groups,
    near_duplicates,
    without_black_border,
)
from allxai_desktop.training.preparing.views import symmetry


def _noise(count: int, side: int = 64) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=random)


def test_near_copies_share_a_group_and_other_images_do_not():
    images = _noise(3, 32)
    brighter = (images[1].float() * 0.9 + 20).byte()
    groups = near_duplicates(torch.stack([*images, brighter]))
    assert groups == [0, 1, 2, 1]


def test_copies_of_copies_are_one_group():
    assert near_duplicates(_noise(1, 32).repeat(3, 1, 1, 1)) == [0, 0, 0]


def test_a_ramp_to_the_right_sets_every_bit_of_the_hash_and_its_mirror_image_none():
    ramp = torch.arange(64, dtype=torch.uint8).expand(1, 3, 64, 64)
    assert np.bitwise_count(difference_hash(ramp)).sum() == 256
    assert np.bitwise_count(difference_hash(ramp.flip(-1))).sum() == 0


def test_a_fingerprint_is_the_root_of_the_detail():
    image = torch.zeros(1, 3, 16, 16)
    image[..., 8, 8] = 125
    found = fingerprint(image).reshape(16, 16)
    # 125 less a 25th of it is 120, 5 below 0 around it; half a grey level less: 119.5 and −4.5.
    length = (119.5 + 24 * 4.5) ** 0.5
    assert found[8, 8] == pytest.approx(119.5**0.5 / length)
    assert found[6:11, 6:11].sum() - found[8, 8] == pytest.approx(-24 * 4.5**0.5 / length)
    assert np.count_nonzero(found) == 25


@pytest.mark.parametrize("number", range(8))
def test_a_turned_or_mirrored_copy_is_found(number):
    images = _noise(3)
    copy = symmetry(images[1], number, (-2, -1))
    assert group_fingerprints(fingerprint(torch.stack([*images, copy]))) == [0, 1, 2, 1]


def test_a_smaller_and_brighter_copy_is_found():
    images = _noise(2, 8).float().repeat_interleave(8, -1).repeat_interleave(8, -2)
    smaller = images[1:, :, ::2, ::2] * 0.9 + 20
    fingerprints = np.concatenate([fingerprint(images), fingerprint(smaller)])
    assert group_fingerprints(fingerprints) == [0, 1, 1]


def test_copies_are_chained():
    # Neighbours have a product of 0.96, the ends of the chain one of 0.85.
    angles = np.arccos(0.96) * np.arange(3)
    fingerprints = np.zeros((3, 256), np.float32)
    fingerprints[:, 1], fingerprints[:, 2] = np.cos(angles), np.sin(angles)
    assert group_fingerprints(fingerprints) == [0, 0, 0]
    assert group_fingerprints(fingerprints[::2]) == [0, 1]


def test_even_images_are_no_copies_of_each_other():
    even = torch.full((2, 3, 32, 32), 80, dtype=torch.uint8)
    assert group_fingerprints(fingerprint(even)) == [0, 1]


def test_copies_are_found_across_blocks_of_rows():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((1300, 256)).astype(np.float32)
    vectors[1200] = np.rot90(vectors[7].reshape(16, 16)).ravel()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = group_fingerprints(vectors)
    assert groups[1200] == 7
    assert len(set(groups)) == 1299


def test_merged_groups_hold_together_what_either_does():
    subjects = ["p", "p", None, None, "q"]
    copies = [0, 1, 1, 3, 4]
    assert merge_groups(subjects, copies) == [0, 0, 0, 3, 4]


def test_the_black_border_of_a_cell_is_cut_off_and_a_whole_field_is_kept():
    cut_out = np.zeros((8, 9, 3), np.uint8)
    cut_out[2:5, 3:7] = 90
    cut_out[7, 8] = 10  # what JPEG leaves
    assert without_black_border(cut_out).shape == (3, 4, 3)
    field = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    assert without_black_border(field).shape == (4, 4, 3)
    assert without_black_border(np.zeros((3, 3, 3), np.uint8)).shape == (3, 3, 3)
