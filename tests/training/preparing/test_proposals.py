import numpy as np
import pytest
from PIL import Image

from allxai_desktop.training.datasets.data import TrainingError, read_data
from allxai_desktop.training.datasets.dataset import look_through
from allxai_desktop.training.preparing.proposals import propose_mask, write_proposals


def _cell() -> tuple[np.ndarray, np.ndarray]:
    """A violet nucleus on white, and where it is."""
    rows, columns = np.mgrid[:120, :80]
    nucleus = (rows - 70) ** 2 + (columns - 40) ** 2 <= 20**2
    return np.where(nucleus[..., None], (90, 40, 140), (240, 240, 240)).astype(np.uint8), nucleus


def test_the_proposal_has_the_size_of_the_image_and_lies_on_its_nucleus():
    pixels, nucleus = _cell()
    mask = propose_mask(pixels)
    assert mask.shape == (120, 80)
    assert 2 * (mask & nucleus).sum() / (mask.sum() + nucleus.sum()) > 0.9


def test_proposals_are_a_data_set_with_pictures_beside_it(tmp_path):
    pixels, nucleus = _cell()
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in" / "a.bmp")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    problems = write_proposals(tmp_path / "in", tmp_path / "out")
    assert len(problems) == 1
    assert "b.png" in problems[0]
    root, items = read_data(tmp_path / "out")
    assert [(item.file, item.mask) for item in items] == [("images/a.png", "masks/a.png")]
    assert not look_through(root, items, segmentation=True).skipped
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "images" / "a.png")), pixels)
    picture = np.asarray(Image.open(tmp_path / "out" / "pictures" / "a.png"))
    assert picture.shape == (120, 240, 3)
    assert (picture[:, 80:160, 0] > 0)[nucleus].mean() > 0.9


def test_proposals_are_made_for_the_images_of_a_study(tmp_path):
    (tmp_path / "in" / "images").mkdir(parents=True)
    Image.fromarray(_cell()[0]).save(tmp_path / "in" / "images" / "a.png")
    assert write_proposals(tmp_path / "in", tmp_path / "out") == []
    assert [item.file for item in read_data(tmp_path / "out")[1]] == ["images/a.png"]


def test_two_images_of_one_name_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "a.bmp"):
        Image.new("RGB", (8, 8)).save(tmp_path / "in" / name)
    with pytest.raises(TrainingError, match="have one name"):
        write_proposals(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_broken_images_gives_a_sentence(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"None of the images .*b\.png"):
        write_proposals(tmp_path / "in", tmp_path / "out")
