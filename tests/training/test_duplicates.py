import numpy as np
import pytest
import torch

from allxai_desktop.training.duplicates import (
    difference_hash,
    group_hashes,
    merge_groups,
    near_duplicates,
    turned_hashes,
    without_border,
)
from allxai_desktop.training.views import symmetry


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


@pytest.mark.parametrize("number", range(1, 8))
def test_a_turned_or_mirrored_copy_is_found(number):
    images = _noise(3)
    copy = symmetry(images[1], number, (-2, -1))
    assert group_hashes(turned_hashes(torch.stack([*images, copy]))) == [0, 1, 2, 1]


def test_a_ramp_to_the_right_sets_every_bit_of_the_hash_and_its_mirror_image_none():
    ramp = torch.arange(64, dtype=torch.uint8).expand(1, 3, 64, 64)
    assert np.bitwise_count(difference_hash(ramp)).sum() == 256
    assert np.bitwise_count(difference_hash(ramp.flip(-1))).sum() == 0


@pytest.mark.parametrize(("bits", "groups"), [(4, [0, 0]), (5, [0, 1])])
def test_four_bits_may_differ_and_five_may_not(bits, groups):
    hashes = np.zeros((2, 1, 4), np.uint64)
    hashes[1, 0] = [1, 1, 0, 2**bits // 4 - 1]  # 2 bits and bits − 2 bits
    assert np.bitwise_count(hashes).sum() == bits
    assert group_hashes(hashes) == groups


def test_groups_are_chained():
    hashes = np.array([0, 2**4 - 1, 2**8 - 1], np.uint64)[:, None, None] * np.array([1, 0, 0, 0], np.uint64)
    assert group_hashes(hashes) == [0, 0, 0]


def test_many_blank_images_are_one_group_at_once():
    assert set(group_hashes(np.zeros((20_000, 8, 4), np.uint64))) == {0}


def test_merged_groups_hold_together_what_either_does():
    subjects = ["p", "p", None, None, "q"]
    copies = [0, 1, 1, 3, 4]
    assert merge_groups(subjects, copies) == [0, 0, 0, 3, 4]


def test_the_black_border_of_a_cell_is_cut_off_and_a_whole_field_is_kept():
    cut_out = np.zeros((8, 9, 3), np.uint8)
    cut_out[2:5, 3:7] = 90
    cut_out[7, 8] = 10  # what JPEG leaves
    assert without_border(cut_out).shape == (3, 4, 3)
    field = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    assert without_border(field).shape == (4, 4, 3)
    assert without_border(np.zeros((3, 3, 3), np.uint8)).shape == (3, 3, 3)
