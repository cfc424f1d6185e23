import numpy as np
import pytest
from drawn import noise
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Cancelled
from allxai_desktop.training.datasets.data import Item, TrainingError, read_class_folders, read_mask_folders
from allxai_desktop.training.datasets.dataset import look_through


@pytest.fixture
def folder(tmp_path):
    for label, seeds in (("a", (1, 2, 3)), ("b", (4, 5))):
        for seed in seeds:
            noise(tmp_path / label / f"{seed}.png", seed)
    return tmp_path


def test_all_of_a_sound_data_set_is_kept(folder):
    data = look_through(folder, read_class_folders(folder))
    assert data.labels == ["a", "a", "a", "b", "b"]
    assert data.groups() == [0, 1, 2, 3, 4]
    assert (data.skipped, data.notes) == ([], [])


def test_a_broken_image_is_named_skipped_and_counted(folder):
    (folder / "a" / "1.png").write_bytes((folder / "a" / "1.png").read_bytes()[:60])
    data = look_through(folder, read_class_folders(folder))
    assert [item.file for item in data.items] == ["a/2.png", "a/3.png", "b/4.png", "b/5.png"]
    assert [found.file for found in data.skipped] == ["a/1.png"]
    assert "damaged" in data.skipped[0].reason
    assert data.notes == [
        f"Images that cannot be used and are left out: 1 (a/1.png). The first: {data.skipped[0].reason}"
    ]


def test_copies_turned_copies_and_subjects_share_a_group(folder):
    first = np.asarray(Image.open(folder / "a" / "1.png"))
    Image.fromarray(first).save(folder / "b" / "6.bmp")
    Image.fromarray(np.rot90(first)).save(folder / "b" / "7.png")
    items = [Item(item.file, item.label, "s" if item.file in {"a/2.png", "b/4.png"} else None)
             for item in read_class_folders(folder)]  # fmt: skip
    data = look_through(folder, items)
    assert data.groups() == [0, 1, 2, 1, 4, 0, 0]
    assert "Images that lie in two classes with equal pixels: 1, as a/1.png and b/6.bmp." in data.notes


def test_mixed_sizes_and_modes_are_told(folder):
    noise(folder / "a" / "8.png", 8, (40, 30))
    Image.fromarray(np.arange(0, 64000, 1000, np.uint16).reshape(8, 8)).save(folder / "b" / "9.png")
    data = look_through(folder, read_class_folders(folder))
    assert len(data.items) == 7
    assert data.notes == [
        "The images have 3 sizes, from 8×8 to 40×30: all are brought to the size of the network.",
        "Images that were no plain 8-bit pictures and were converted: 1.",
    ]


def test_a_class_with_one_image_is_refused(folder):
    (folder / "b" / "4.png").unlink()
    with pytest.raises(TrainingError, match="The class b has one image"):
        look_through(folder, read_class_folders(folder))


def test_a_class_that_loses_all_its_images_is_named(folder):
    for name in ("4.png", "5.png"):
        (folder / "b" / name).write_bytes(b"")
    with pytest.raises(TrainingError, match="No image of the class b"):
        look_through(folder, read_class_folders(folder))


def test_nothing_to_use_is_refused_with_the_first_reason(folder):
    with pytest.raises(TrainingError, match=r"None of the images can be used: x\.png has no class"):
        look_through(folder, [Item("x.png", "")])
    with pytest.raises(TrainingError, match="There are none"):
        look_through(folder, [])


def test_masks_must_be_there_and_fit(tmp_path):
    for name in ("1", "2", "3"):
        noise(tmp_path / "images" / f"{name}.png", int(name))
    noise(tmp_path / "masks" / "gone" / "x.png", 0)
    Image.new("L", (20, 16)).save(tmp_path / "masks" / "1.png")
    Image.new("L", (16, 20)).save(tmp_path / "masks" / "2.png")
    data = look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True)
    assert [item.file for item in data.items] == ["images/1.png"]
    assert [found.reason for found in data.skipped] == [
        "masks/2.png is 16×20 pixels, but its image images/2.png is 20×16.",
        "images/3.png has no mask.",
    ]


def test_images_without_a_class_are_bright_or_dark_fields(tmp_path):
    for name, grey in (("a", 127), ("b", 128), ("c", 250)):
        Image.fromarray(np.full((8, 8), grey, np.uint8)).save(tmp_path / f"{name}.png")
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / f"{name}_mask.png")
    items = [
        Item(f"{name}.png", label, mask=f"{name}_mask.png")
        for name, label in (("a", ""), ("b", ""), ("c", "x"))
    ]
    found = look_through(tmp_path, items, segmentation=True)
    assert found.strata == ["dark field", "bright field", "x"]


def test_our_own_mask_must_be_of_its_image(tmp_path):
    for name in ("1", "2"):
        noise(tmp_path / "images" / f"{name}.png", int(name))
        image = read_image(tmp_path / "images" / "1.png")
        save_mask(tmp_path / "masks" / f"{name}.npz", np.ones((16, 20), np.uint8), image=image)
    data = look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True)
    assert [found.file for found in data.skipped] == ["images/2.png"]
    assert "belongs to 1.png" in data.skipped[0].reason


def _proposed(folder, names) -> None:
    for name in names:
        save_mask(
            folder / "masks" / f"{name}.npz", np.ones((16, 20), np.uint8), accepted=np.ones((16, 20), bool)
        )


def test_masks_that_only_a_proposal_drew_are_told(tmp_path):
    for name in ("1", "2", "3"):
        noise(tmp_path / "images" / f"{name}.png", int(name))
        save_mask(tmp_path / "masks" / f"{name}.npz", np.ones((16, 20), np.uint8))
    _proposed(tmp_path, ["2", "3"])
    data = look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True)
    assert data.proposed == {1, 2}
    assert data.notes == [
        "Masks that a proposal drew and nobody submitted: 2. They are learnt from, and never measured on."
    ]


def test_a_proposal_that_somebody_submitted_is_no_mask_that_only_a_proposal_drew(tmp_path):
    for name in ("1", "2"):
        noise(tmp_path / "images" / f"{name}.png", int(name))
    _proposed(tmp_path, ["1", "2"])
    Progress(StudyStore(tmp_path)).submit(Person("A07"), "2.png", "0" * 64)
    data = look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True)
    assert data.proposed == {0}


def test_a_copy_of_a_painted_image_with_a_proposed_mask_is_left_out(tmp_path):
    first = noise(tmp_path / "images" / "2.png", 2)
    Image.fromarray(first[:, ::-1]).save(tmp_path / "images" / "1.png")
    noise(tmp_path / "images" / "3.png", 3)
    save_mask(tmp_path / "masks" / "2.npz", np.ones((16, 20), np.uint8))
    _proposed(tmp_path, ["1", "3"])
    data = look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True)
    assert [item.file for item in data.items] == ["images/2.png", "images/3.png"]
    assert data.proposed == {1}
    assert [found.file for found in data.skipped] == ["images/1.png"]
    assert "Only a proposal drew its mask" in data.skipped[0].reason


def test_another_mask_is_another_identity(tmp_path):
    noise(tmp_path / "images" / "1.png", 1)
    (tmp_path / "masks").mkdir()
    digests = []
    for value in (0, 1):
        Image.new("L", (20, 16), value).save(tmp_path / "masks" / "1.png")
        digests += look_through(tmp_path, read_mask_folders(tmp_path), segmentation=True).sha256
    assert digests[0] != digests[1]


def test_it_can_be_cancelled(folder):
    def progress(share: float) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        look_through(folder, read_class_folders(folder), progress=progress)
