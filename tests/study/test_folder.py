import errno
import os
import sys
import unicodedata
from pathlib import Path

import macos
import numpy as np
import pytest
import windows
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.folder import Study, StudyError, existing


def images(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (2, 2)).save(folder / name)
    return folder


def names(study):
    return [item.image_path.name for item in study.items]


def masks(study):
    return [item.mask_path.relative_to(study.folder).as_posix() for item in study.items]


def test_a_plain_folder_is_a_study_in_natural_order(tmp_path):
    images(tmp_path, "cell_10.png", "cell_9.PNG", "Cell_1.jpg", "b.tif")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "sub.png").mkdir()
    (tmp_path / "._cell_9.png").touch()
    study = Study.open(tmp_path)
    assert names(study) == ["b.tif", "Cell_1.jpg", "cell_9.PNG", "cell_10.png"]
    assert masks(study) == ["masks/b.npz", "masks/Cell_1.npz", "masks/cell_9.npz", "masks/cell_10.npz"]
    assert study.title == tmp_path.name
    assert study.start == 0


def test_opening_writes_nothing(tmp_path):
    Study.open(images(tmp_path, "a.png"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_images_may_have_a_folder_of_their_own(tmp_path):
    images(tmp_path / "images", "a.png")
    images(tmp_path, "logo.png")
    study = Study.open(tmp_path)
    assert study.items[0].image_path == tmp_path / "images" / "a.png"
    assert names(study) == ["a.png"]
    assert masks(study) == ["masks/a.npz"]


def test_the_second_image_with_a_stem_keeps_its_ending(tmp_path):
    study = Study.open(images(tmp_path, "a.bmp", "a.png", "A.tif", "a.png.png"))
    assert dict(zip(names(study), masks(study), strict=True)) == {
        "a.bmp": "masks/a.npz",
        "a.png": "masks/a.png.npz",
        "a.png.png": "masks/a.png.png.npz",
        "A.tif": "masks/A.tif.npz",
    }


@pytest.mark.parametrize("come", [("a.bmp", "a.png"), ("a.png", "a.bmp")])
def test_an_image_keeps_its_mask_when_another_with_its_stem_comes_or_goes(tmp_path, come):
    for name in come:
        item = next(item for item in Study.open(images(tmp_path, name)).items if item.image_path.name == name)
        save_mask(item.mask_path, np.ones((2, 2), np.uint8), image=read_image(item.image_path))
    study = Study.open(tmp_path)
    before = dict(zip(names(study), masks(study), strict=True))
    assert before == {come[0]: "masks/a.npz", come[1]: f"masks/{come[1]}.npz"}
    (tmp_path / come[0]).unlink()
    assert masks(Study.open(tmp_path)) == [before[come[1]]]


def test_one_image_opens_as_a_study_of_one(tmp_path):
    study = Study.open(images(tmp_path, "a.bmp", "a.png") / "a.png")
    assert names(study) == ["a.png"]
    assert masks(study) == ["masks/a.png.npz"]


def test_an_image_inside_a_study_keeps_the_mask_it_has_there(tmp_path):
    images(tmp_path / "images", "a.png", "b.png")
    (tmp_path / "masks").mkdir()
    study = Study.open(tmp_path / "images" / "b.png")
    assert names(study) == ["b.png"]
    assert masks(study) == ["masks/b.npz"]


def test_names_that_differ_in_how_accents_are_written_get_masks_of_their_own(tmp_path):
    # As on a disk that does not tell them apart, to which the study may go.
    study = Study.open(images(tmp_path, "\u00e9.png", "e\u0301.bmp"))
    assert sorted(masks(study)) == ["masks/e\u0301.npz", "masks/\u00e9.png.npz"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="every name of this system is text")
def test_a_name_in_another_encoding_is_one_sentence(tmp_path):
    images(tmp_path, "a.png")
    (tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"c\xe9lula.png"))
    with pytest.raises(
        StudyError, match=r"^The name of c_lula.png is in another encoding than UTF-8: rename it"
    ):
        Study.open(tmp_path)


def test_an_image_with_a_strange_ending_opens(tmp_path):
    images(tmp_path, "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.dat")
    assert masks(Study.open(tmp_path / "a.dat")) == ["masks/a.dat.npz"]


@pytest.fixture
def described(tmp_path):
    images(tmp_path / "images", "a.png", "b.png")

    def write(text):
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


ITEM = """
title = "Vacuoles, spring"
annotator = "A07"
[[items]]
image = "b.png"
class = "monocyte"
subject = "S03"
pixel_size_um = 0.1
"""


@pytest.mark.parametrize("name", ["", "study.toml"])
def test_study_toml_tells_about_images(described, name):
    study = Study.open(described(ITEM) / name)
    assert (study.title, study.annotator) == ("Vacuoles, spring", "A07")
    a, b = study.items
    assert (a.true_class, a.subject, a.pixel_size_um) == (None, None, None)
    assert (b.true_class, b.subject, b.pixel_size_um) == ("monocyte", "S03", 0.1)


def test_an_image_that_is_named_but_missing_stays_in_the_list(described):
    assert names(Study.open(described('[[items]]\nimage = "gone.png"'))) == ["a.png", "b.png", "gone.png"]


@pytest.mark.parametrize(
    "image", ["/etc/a.png", "../a.png", "..", "C:a.png", "sub\\\\a.png", "a\\u0000.png", ""]
)
def test_images_elsewhere_are_refused(described, image):
    with pytest.raises(StudyError, match="a file name without a folder"):
        Study.open(described(f'[[items]]\nimage = "{image}"'))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "not valid TOML"),
        ("title = 3", "“title” must be text"),
        ("items = 3", "cannot be used"),
        ("items = [3]", "cannot be used"),
        ('[[items]]\nimage = "a.png"\npixel_size_um = -1', "above 0"),
        ('[[items]]\nimage = "a.png"\npixel_size_um = nan', "above 0"),
        ('[[items]]\nimage = "a.png"\npixel_size_um = true', "above 0"),
        ("a = " + "[" * 10_000, "not valid TOML"),
    ],
)
def test_a_wrong_study_toml_is_refused_with_its_reason(described, text, reason):
    with pytest.raises(StudyError, match=reason) as caught:
        Study.open(described(text))
    assert str(caught.value).startswith("study.toml")


def test_a_folder_without_images(tmp_path):
    with pytest.raises(StudyError, match="holds no images"):
        Study.open(tmp_path)


def test_a_mask_is_no_image_and_the_error_says_where_it_goes(tmp_path):
    save_mask(tmp_path / "a.npz", np.ones((2, 2), np.uint8))
    with pytest.raises(StudyError, match=r"a.npz is no image: .* Import masks"):
        Study.open(tmp_path / "a.npz")


def test_nothing_there(tmp_path):
    with pytest.raises(StudyError, match=r"gone was not found"):
        Study.open(tmp_path / "gone")


def test_a_crop_knows_its_field(tmp_path):
    images(tmp_path, "a.png", "crop.png")
    (tmp_path / "study.toml").write_text(
        '[[items]]\nimage = "crop.png"\nfield = "a.png"\nat = [12, 0, 257]\n', encoding="utf-8"
    )
    crop = Study.open(tmp_path).items[1]
    assert (crop.field, crop.at) == ("a.png", (12, 0, 257))


@pytest.mark.parametrize("at", ["[1, 2]", "[1, 2, -3]", "[1.5, 2, 3]", "[true, 2, 3]", '"1, 2, 3"'])
def test_a_place_is_three_whole_numbers(tmp_path, at):
    images(tmp_path, "a.png")
    (tmp_path / "study.toml").write_text(f'[[items]]\nimage = "a.png"\nat = {at}\n', encoding="utf-8")
    with pytest.raises(StudyError, match="whole numbers"):
        Study.open(tmp_path)


def test_no_image_is_looked_at_to_list_a_folder_whose_disk_may_be_far(tmp_path, monkeypatch):
    images(tmp_path, "a.png", "b.png")
    asked = []
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **given: asked.append(path.name) or stat(path, **given))
    assert len(Study.open(tmp_path).items) == 2
    assert not {"a.png", "b.png"} & set(asked)


def test_a_link_that_leads_round_in_a_circle_is_no_image(tmp_path):
    images(tmp_path, "a.png")
    (tmp_path / "b.png").symlink_to("b.png")
    (tmp_path / "c.png").symlink_to("a.png")
    assert [item.image_path.name for item in Study.open(tmp_path).items] == ["a.png", "c.png"]


@pytest.mark.parametrize("typed", ["images/CELL.PNG", "IMAGES/cell.png"])
def test_an_image_has_its_mask_also_where_its_name_was_typed_in_capitals(tmp_path, monkeypatch, typed):
    images(tmp_path / "images", "cell.png", "other.png")
    (tmp_path / "masks").mkdir()
    windows.capitals_do_not_matter(monkeypatch)
    study = Study.open(tmp_path / typed)
    assert study.folder == tmp_path
    assert [item.mask_path for item in study.items] == [tmp_path / "masks" / "cell.npz"]


def test_a_study_is_opened_also_by_its_file_in_capitals(tmp_path, monkeypatch):
    images(tmp_path, "cell.png")
    (tmp_path / "study.toml").write_text('title = "One"')
    windows.capitals_do_not_matter(monkeypatch)
    assert Study.open(tmp_path / "STUDY.TOML").title == "One"


def test_which_files_are_there_is_asked_of_each_folder_once(tmp_path, monkeypatch):
    images(tmp_path / "a", "1.png", "2.png")
    images(tmp_path / "b", "É.png")
    asked = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: asked.append(folder.name) or listdir(folder))
    monkeypatch.setattr(Path, "exists", lambda path: asked.append(path.name) or path.name == "é.png")
    names = ("a/1.png", "a/2.png", "a/3.png", "b/é.png", "b/e.png", "gone/1.png")
    found = existing(tmp_path / name for name in names)
    assert found == {tmp_path / "a" / "1.png", tmp_path / "a" / "2.png", tmp_path / "b" / "é.png"}
    # By other letters it may be the same file, or none.
    assert asked == ["a", "b", "é.png", "gone"]


def test_a_disk_of_its_own_is_called_by_its_path(tmp_path, monkeypatch):
    images(tmp_path, "cell.png")
    monkeypatch.setattr(Path, "resolve", lambda path: Path(path.anchor))
    assert Study.open(tmp_path).title == str(tmp_path)


def test_an_image_whose_accents_macos_gives_apart_is_the_one_that_the_study_names(tmp_path, monkeypatch):
    images(tmp_path, "célula.png", "célula.tif")
    (tmp_path / "study.toml").write_text('[[items]]\nimage = "célula.tif"\nsubject = "S1"', encoding="utf-8")
    save_mask(
        tmp_path / "masks" / "célula.npz",
        np.zeros((2, 2), np.uint8),
        image=read_image(tmp_path / "célula.tif"),
    )
    macos.accents_apart(monkeypatch)
    study = Study.open(tmp_path)
    assert names(study) == ["célula.png", "célula.tif"]
    assert [item.subject for item in study.items] == [None, "S1"]
    assert masks(study) == ["masks/célula.png.npz", "masks/célula.npz"]


def test_a_name_that_was_copied_from_a_folder_of_macos_is_that_of_its_image(tmp_path, monkeypatch):
    images(tmp_path, "célula.png", "frotis é.png")
    text = '[[items]]\nimage = "célula.png"\nfield = "frotis é.png"\n'
    (tmp_path / "study.toml").write_text(unicodedata.normalize("NFD", text), encoding="utf-8")
    macos.accents_apart(monkeypatch)
    study = Study.open(tmp_path)
    assert names(study) == ["célula.png", "frotis é.png"]
    assert study.items[0].field == "frotis é.png"


def test_a_folder_that_does_not_answer_is_not_an_empty_one(tmp_path, monkeypatch):
    def gone(folder):
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr(os, "listdir", gone)
    with pytest.raises(StudyError, match=r"^masks could not be opened \(Input/output error\)"):
        existing([tmp_path / "masks" / "a.npz"])
