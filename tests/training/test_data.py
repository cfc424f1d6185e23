import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import ImageError
from allxai_desktop.training.data import Item, TrainingError, load_pixels, read_class_folders, read_table


def _image(path, value: int, size=(10, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


def test_class_folders_are_read_in_order_with_subjects(tmp_path):
    _image(tmp_path / "b" / "s2_1.png", 0)
    _image(tmp_path / "a" / "s1_2.png", 0)
    _image(tmp_path / "a" / "s1_1.png", 0)
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    items = read_class_folders(tmp_path, ("a", "b"), lambda name: name.split("_")[0])
    assert items == [
        Item("a/s1_1.png", "a", "s1"),
        Item("a/s1_2.png", "a", "s1"),
        Item("b/s2_1.png", "b", "s2"),
    ]


def test_a_class_without_images_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(TrainingError, match="no images"):
        read_class_folders(tmp_path, ("a",))


def test_a_table_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,class,subject\nx.png,a,s1\ny.png,b,\n", encoding="utf-8-sig")
    assert read_table(path) == [Item("x.png", "a", "s1"), Item("y.png", "b", None)]


@pytest.mark.parametrize("content", [b"file;class\nx;a\n", b"\xff\xfe\x00"])
def test_another_table_is_refused(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="no table"):
        read_table(path)


def test_pixels_are_resized_without_cropping(tmp_path):
    _image(tmp_path / "a.png", 7)
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, 4:] = 200
    Image.fromarray(pixels).save(tmp_path / "b.png")
    found = load_pixels(tmp_path, [Item("a.png", "a"), Item("b.png", "b")], (2, 2))
    assert found.shape == (2, 3, 2, 2)
    assert found[0].unique().tolist() == [7]
    # Antialiased: a fifth of the triangle of each column lies on the other half.
    assert found[1, 0, 0].tolist() == [29, 171]


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"a\.png"):
        load_pixels(tmp_path, [Item("a.png", "a")], (2, 2))
