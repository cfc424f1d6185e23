import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import MaskError, save_mask
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.label_masks import class_codes, is_proposed, read_label_mask


def test_a_16_bit_picture_keeps_its_numbers(tmp_path):
    labels = np.array([[0, 300], [7, 4095]], np.uint16)
    Image.fromarray(labels).save(tmp_path / "m.png")
    assert read_label_mask(tmp_path / "m.png").tolist() == labels.tolist()


def test_a_palette_gives_its_numbers_and_grey_in_three_channels_one(tmp_path):
    values = np.array([[0, 2], [1, 0]], np.uint8)
    palette = Image.new("P", (2, 2))
    palette.putpalette([10, 0, 0, 0, 20, 0, 0, 0, 30])
    palette.putdata([0, 2, 1, 0])
    palette.save(tmp_path / "p.png")
    Image.fromarray(values).convert("RGB").save(tmp_path / "g.bmp")
    assert read_label_mask(tmp_path / "p.png").tolist() == values.tolist()
    assert read_label_mask(tmp_path / "g.bmp").tolist() == values.tolist()


def test_transparency_is_no_label(tmp_path):
    Image.merge("LA", (Image.new("L", (2, 2), 7), Image.new("L", (2, 2), 90))).save(tmp_path / "m.png")
    assert read_label_mask(tmp_path / "m.png").tolist() == [[7, 7], [7, 7]]


def test_fractions_are_no_labels(tmp_path):
    Image.fromarray(np.full((2, 2), 0.5, np.float32)).save(tmp_path / "m.tif")
    with pytest.raises(MaskError, match=r"m\.tif holds fractions"):
        read_label_mask(tmp_path / "m.tif")


def test_our_own_mask_gives_its_codes(tmp_path):
    save_mask(tmp_path / "m.npz", np.array([[0, 5], [1, 3]], np.uint8))
    assert read_label_mask(tmp_path / "m.npz").tolist() == [[0, 5], [1, 3]]


def test_a_colour_picture_is_no_mask(tmp_path):
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"m\.png is a colour picture"):
        read_label_mask(tmp_path / "m.png")


@pytest.mark.parametrize("name", ["m.jpg", "m.png", "m.npz", "gone.png"])
def test_a_file_that_is_no_mask_is_named(tmp_path, name):
    Image.new("L", (2, 2)).save(tmp_path / "m.jpg")
    (tmp_path / "m.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "m.npz").write_bytes(b"")
    with pytest.raises(MaskError, match=name):
        read_label_mask(tmp_path / name)


def test_labels_become_classes():
    labels = np.array([[0, 128], [255, 128]], np.int32)
    assert class_codes(labels, {0: 0, 128: 2, 255: 1}).tolist() == [[0, 2], [1, 2]]
    assert class_codes(labels, None).tolist() == [[0, 1], [1, 1]]


def test_a_label_of_no_class_is_named():
    with pytest.raises(TrainingError, match="128"):
        class_codes(np.array([[0, 128]], np.int32), {0: 0})


@pytest.mark.parametrize(
    ("accepted", "state", "proposed"),
    [
        (None, "in-progress", False),
        ([[1, 0], [1, 1]], "in-progress", False),
        ([[1, 1], [1, 1]], "in-progress", True),
        ([[1, 1], [1, 1]], "submitted", False),
    ],
)
def test_a_mask_is_proposed_where_nobody_painted_or_submitted_it(tmp_path, accepted, state, proposed):
    flags = None if accepted is None else np.array(accepted, bool)
    save_mask(tmp_path / "m.npz", np.ones((2, 2), np.uint8), accepted=flags, state=state)
    assert is_proposed(tmp_path / "m.npz") is proposed


def test_a_picture_is_never_proposed(tmp_path):
    Image.new("L", (2, 2), 1).save(tmp_path / "m.png")
    assert not is_proposed(tmp_path / "m.png")
