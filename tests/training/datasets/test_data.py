import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import ImageError
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.training.datasets.data import (
    Item,
    TrainingError,
    load_pixels,
    read_class_folders,
    read_data,
    read_mask_folders,
    read_study,
    read_table,
    subject_pattern,
)


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
    with pytest.raises(TrainingError, match=r"no images in .*a: put some there, or take the folder away"):
        read_class_folders(tmp_path, ("a",))


def test_the_folder_above_the_right_one_is_told_from_an_empty_class(tmp_path):
    _image(tmp_path / "Original" / "a" / "1.png", 0)
    with pytest.raises(
        TrainingError, match=r"no images in .*Original, only folders: choose the folder in which"
    ):
        read_data(tmp_path)


def test_a_table_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,class,subject\nx.png,a,s1\ny.png,b,\n", encoding="utf-8-sig")
    assert read_table(path) == [Item("x.png", "a", "s1"), Item("y.png", "b", None)]


@pytest.mark.parametrize(
    "content",
    [
        "file;class;subject\r\na/x.png;célula;s 1\r\ny.png;b;\r\n".encode("utf-8-sig"),
        "File;Class;Subject\r\na\\x.png;célula;s 1\r\n;;\r\ny.png;b;\r\n".encode("cp1252"),
        "file\tclass\tsubject\r\na/x.png\tcélula\ts 1\r\ny.png\tb\r\n".encode("utf-16"),
        'file;class;subject;"a,b,c,d"\na/x.png;célula;s 1\ny.png;b\n'.encode(),
        'class, file ,note,subject\n"célula", a/x.png ,"one; two, three",s 1\nb,y.png\n'.encode(),
    ],
    ids=["semicolons", "Windows", "Unicode text", "commas in a name", "commas"],
)
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert read_table(path) == [Item("a/x.png", "célula", "s 1"), Item("y.png", "b", None)]


@pytest.mark.parametrize(
    "content", [b"name;class\nx;a\n", b"\xff\xfe\x00", b"", b"\x81\x8d", b'file,class\n"x']
)
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


def test_every_folder_is_a_class_where_none_are_named(tmp_path):
    _image(tmp_path / "b" / "1.png", 0)
    _image(tmp_path / "a" / "1.png", 0)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "index.csv").write_text("")
    assert [item.file for item in read_class_folders(tmp_path)] == ["a/1.png", "b/1.png"]


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_classes_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match=r"holds no folders|could not be read"):
        read_class_folders(tmp_path / name)


def test_an_empty_class_folder_is_named(tmp_path):
    _image(tmp_path / "a" / "1.png", 0)
    (tmp_path / "b").mkdir()
    with pytest.raises(TrainingError, match=r"no images in .*b: put some"):
        read_class_folders(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "subject"), [(r"^UID_([^_]+)_", "H10"), (r"H\d+", "H10"), (r"_(\d+)_hem", "3")]
)
def test_the_subject_is_found_by_a_pattern(pattern, subject):
    assert subject_pattern(pattern)("UID_H10_12_3_hem.png") == subject


def test_a_name_without_a_subject_is_named():
    with pytest.raises(TrainingError, match=r"no subject in cell\.png"):
        subject_pattern(r"UID_(\d*)")("cell.png")


def test_a_wrong_pattern_is_refused():
    with pytest.raises(TrainingError, match="no regular expression"):
        subject_pattern("(")


def test_the_subject_may_stand_in_another_column(tmp_path):
    (tmp_path / "t.csv").write_text("file,class,patient\nx.png, a ,s1\n", encoding="utf-8")
    assert read_table(tmp_path / "t.csv", "patient") == [Item("x.png", "a", "s1")]


@pytest.mark.parametrize("file", ["../x.png", "/x.png", "C:\\x.png", "a\\..\\..\\x.png", ""])
def test_a_table_names_no_files_elsewhere(tmp_path, file):
    (tmp_path / "t.csv").write_text(f"file,class\n{file},a\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="not in its folder"):
        read_table(tmp_path / "t.csv")


def test_a_file_that_is_listed_twice_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("file,class\nx.png,a\nx.png,b\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"x\.png more than once"):
        read_table(tmp_path / "t.csv")


def test_a_study_gives_classes_subjects_and_masks(tmp_path):
    _image(tmp_path / "images" / "1.png", 0)
    _image(tmp_path / "images" / "2.png", 0)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "2.npz").write_bytes(b"")
    (tmp_path / "study.toml").write_text('[[items]]\nimage = "1.png"\nclass = "a"\nsubject = "s"\n')
    assert read_study(tmp_path) == (
        tmp_path,
        [Item("images/1.png", "a", "s"), Item("images/2.png", "", None, "masks/2.npz")],
    )


def test_masks_are_found_in_a_folder_of_their_own(tmp_path):
    _image(tmp_path / "images" / "s1_1.jpg", 0)
    _image(tmp_path / "images" / "s1_2.jpg", 0)
    _image(tmp_path / "masks" / "s1_1.png", 0)
    items = read_mask_folders(tmp_path, subject_of=lambda name: name[:2])
    assert items == [
        Item("images/s1_1.jpg", "", "s1", "masks/s1_1.png"),
        Item("images/s1_2.jpg", "", "s1", None),
    ]


def test_masks_are_found_beside_their_images(tmp_path):
    for name in ("1.png", "1_mask.png", "2.jpg"):
        _image(tmp_path / name, 0)
    (tmp_path / "2.npz").write_bytes(b"")
    assert read_mask_folders(tmp_path, ".", ".") == [
        Item("1.png", "", None, "1_mask.png"),
        Item("2.jpg", "", None, "2.npz"),
    ]


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_two_files_with_one_name_are_named(tmp_path, folder):
    for name in ("images/1.png", "masks/1.png", f"{folder}/1.bmp"):
        _image(tmp_path / name, 0)
    with pytest.raises(TrainingError, match=r"1\.bmp and 1\.png in .* have one name"):
        read_mask_folders(tmp_path)


def test_a_mask_folder_without_images_is_refused(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    with pytest.raises(TrainingError, match="no images"):
        read_mask_folders(tmp_path)


def test_the_kind_of_a_data_set_is_seen(tmp_path):
    _image(tmp_path / "folders" / "a" / "s1_1.png", 0)
    (tmp_path / "folders" / "t.csv").write_text("file,class,subject\na/s1_1.png,b,x\n", encoding="utf-8")
    for name in ("images", "masks"):
        _image(tmp_path / "masked" / name / "s1_1.png", 0)
    for name in ("s1_1.jpg", "s1_1_mask.png"):
        _image(tmp_path / "pairs" / name, 0)
    _image(tmp_path / "study" / "images" / "s1_1.png", 0)
    (tmp_path / "study" / "study.toml").write_text('[[items]]\nimage = "s1_1.png"\nclass = "c"\n')
    found = {
        name: read_data(tmp_path / name, r"^\w\d")
        for name in ("folders", "folders/t.csv", "masked", "pairs", "study", "study/study.toml")
    }
    study = (tmp_path / "study", [Item("images/s1_1.png", "c", "s1")])
    assert found == {
        "folders": (tmp_path / "folders", [Item("a/s1_1.png", "a", "s1")]),
        "folders/t.csv": (tmp_path / "folders", [Item("a/s1_1.png", "b", "s1")]),
        "masked": (tmp_path / "masked", [Item("images/s1_1.png", "", "s1", "masks/s1_1.png")]),
        "pairs": (tmp_path / "pairs", [Item("s1_1.jpg", "", "s1", "s1_1_mask.png")]),
        "study": study,
        "study/study.toml": study,
    }


def test_a_folder_of_images_that_was_painted_or_worked_through_is_a_study(tmp_path):
    painted, kept = tmp_path / "painted", tmp_path / "kept"
    for folder in (painted, kept):
        _image(folder / "1.png", 0)
        _image(folder / "final" / "1.png", 0)
    (painted / "masks").mkdir()
    save_mask(painted / "masks" / "1.npz", np.ones((8, 8), np.uint8))
    (kept / "study.sqlite").touch()
    assert read_data(painted) == (painted, [Item("1.png", "", None, "masks/1.npz")])
    assert read_data(kept) == (kept, [Item("1.png", "", None)])


def test_without_a_pattern_the_subjects_of_the_table_stay(tmp_path):
    (tmp_path / "t.csv").write_text("file,class,subject\n1.png,b,x\n", encoding="utf-8")
    assert read_data(tmp_path / "t.csv") == (tmp_path, [Item("1.png", "b", "x")])
