import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import Study
from allxai_desktop.study.preview import mask_on_disk, thumbnail


@pytest.fixture
def item(tmp_path):
    Image.new("RGB", (40, 20), (7, 0, 0)).save(tmp_path / "a.png")
    return Study.open(tmp_path).items[0]


def test_a_thumbnail_keeps_the_proportions(item):
    assert thumbnail(item, 10).shape == (5, 10, 3)


def test_an_image_that_cannot_be_read_has_none(item):
    item.image_path.write_bytes(b"")
    assert thumbnail(item, 10) is None


def test_the_share_and_the_hash_of_the_mask(item):
    codes = np.zeros((20, 40), np.uint8)
    codes[:5] = 2
    save_mask(item.mask_path, codes)
    assert mask_on_disk(item) == (0.25, mask_sha256(codes))


def test_without_a_mask_to_be_read_there_are_none(item):
    assert mask_on_disk(item) == (None, None)
    item.mask_path.parent.mkdir()
    item.mask_path.write_bytes(b"no mask")
    assert mask_on_disk(item) == (None, None)
