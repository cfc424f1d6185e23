import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import image_from_array
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import Study
from allxai_desktop.study.preview import OnDisk, mask_on_disk, thumbnail


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
    assert mask_on_disk(item) == OnDisk(0.25, mask_sha256(codes))


def test_without_a_mask_there_are_none(item):
    assert mask_on_disk(item) == OnDisk()


def test_a_file_that_is_no_mask_is_named_so(item):
    item.mask_path.parent.mkdir()
    item.mask_path.write_bytes(b"no mask")
    assert mask_on_disk(item) == OnDisk(problem="unreadable", beside="a-2.npz")


@pytest.mark.parametrize(("width", "color"), [(50, 7), (40, 8)])
def test_a_mask_of_an_image_of_another_size_or_with_other_pixels_has_no_share(item, width, color):
    other = image_from_array(np.full((20, width, 3), (color, 0, 0), np.uint8), "b.png")
    codes = np.full((20, width), 5, np.uint8)
    save_mask(item.mask_path, codes, image=other)
    assert mask_on_disk(item) == OnDisk(None, mask_sha256(codes), "misfit", "a-2.npz")


def test_the_share_is_that_of_the_mask_beside_one_that_does_not_fit(item):
    for name, side in (("a.npz", 5), ("a-2.npz", 6)):
        save_mask(item.mask_path.with_name(name), np.ones((side, side), np.uint8))
    other = mask_sha256(np.ones((5, 5), np.uint8))
    codes = np.zeros((20, 40), np.uint8)
    codes[:5] = 2
    save_mask(item.mask_path.with_name("a-3.npz"), codes)
    assert mask_on_disk(item) == OnDisk(0.25, other, "misfit", "a-3.npz")


def test_the_mask_of_another_image_is_not_taken_for_the_one_beside(item):
    beside = item.mask_path.with_name("a-2.npz")
    save_mask(item.mask_path, np.ones((5, 5), np.uint8))
    save_mask(beside, np.ones((20, 40), np.uint8))
    assert mask_on_disk(item).beside == "a-2.npz"
    found = mask_on_disk(item, {beside})
    assert (found.share, found.beside) == (None, "a-3.npz")


def test_beside_the_mask_of_an_image_that_cannot_be_read_nothing_is_looked_for(item):
    item.mask_path.parent.mkdir()
    item.mask_path.write_bytes(b"no mask")
    item.image_path.write_bytes(b"")
    assert mask_on_disk(item) == OnDisk(problem="unreadable")


def test_the_mask_of_an_image_that_cannot_be_read_counts_as_none(item):
    codes = np.full((20, 40), 5, np.uint8)
    save_mask(item.mask_path, codes)
    item.image_path.write_bytes(b"")
    assert mask_on_disk(item) == OnDisk(None, mask_sha256(codes), "no-image")
