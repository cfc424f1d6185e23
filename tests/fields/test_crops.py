import numpy as np
import pytest
from PIL import Image

from allxai_desktop.fields import crops as crops_module
from allxai_desktop.fields.crops import (
    Box,
    box_around,
    crops_of,
    study_with,
    take_crops,
    usual_side,
)
from allxai_desktop.files import WriteError
from allxai_desktop.study.folder import Study, StudyError
from allxai_desktop.study.locks import PaintingSession, acquire


@pytest.fixture
def study(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("field.png", "other.png"):
        Image.fromarray(rng.integers(0, 256, (80, 100, 3), np.uint8)).save(tmp_path / name)
    return Study.open(tmp_path)


def crop(study, box, name="field.png"):
    pixels = np.asarray(Image.open(study.folder / name))
    return box, pixels[box.row : box.row + box.side, box.column : box.column + box.side]


@pytest.mark.parametrize(
    ("place", "box"),
    [
        ((40, 50), Box(28, 38, 25)),
        ((0, 99), Box(0, 75, 25)),
        ((79, 3), Box(55, 0, 25)),
    ],
)
def test_a_box_lies_around_its_place_and_inside_the_field(place, box):
    assert box_around(place, 25, (80, 100)) == box


def test_a_field_smaller_than_the_box_makes_it_smaller():
    assert box_around((5, 5), 257, (80, 100)) == Box(0, 0, 80)


def test_the_usual_side_follows_the_red_cells():
    assert [usual_side(diameter) for diameter in (73, 1, 9999)] == [358, 32, 2048]


def test_a_crop_becomes_an_image_of_the_study_with_its_link(study):
    box = Box(10, 20, 32)
    assert take_crops(study, study.items[0], [crop(study, box)]) == ["field_00010_00020_32.png"]
    again = Study.open(study.folder)
    assert [item.image_path.name for item in again.items] == [
        "field.png",
        "field_00010_00020_32.png",
        "other.png",
    ]
    assert crops_of(again, "field.png") == {box: again.items[1]}
    assert np.array_equal(np.asarray(Image.open(again.items[1].image_path)), crop(study, box)[1])


def test_a_crop_that_is_there_is_not_made_twice(study):
    box = Box(10, 20, 32)
    take_crops(study, study.items[0], [crop(study, box)])
    toml = (study.folder / "study.toml").read_bytes()
    again = Study.open(study.folder)
    assert take_crops(again, again.items[0], [crop(study, box)]) == ["field_00010_00020_32.png"]
    assert (study.folder / "study.toml").read_bytes() == toml
    assert len(list(study.folder.glob("field_*"))) == 1


def test_what_another_program_adds_to_the_study_meanwhile_stays(study, monkeypatch):
    toml = study.folder / "study.toml"
    lock = acquire(study.folder / "study.lock", PaintingSession.new(), "B01")

    def meanwhile(_seconds):
        toml.write_text('[[items]]\nimage = "other.png"\nsubject = "S03"\n')
        lock.release()

    monkeypatch.setattr("allxai_desktop.study.locks.time.sleep", meanwhile)
    take_crops(study, study.items[0], [crop(study, Box(10, 20, 32))])
    again = Study.open(study.folder)
    assert [item.subject for item in again.items] == [None, None, "S03"]
    assert [item.field for item in again.items] == [None, "field.png", None]
    assert not lock.path.exists()


def test_crops_that_were_written_before_one_failed_have_their_link(study, monkeypatch):
    write, boxes = crops_module.write_whole, [Box(10, 20, 32), Box(10, 60, 32)]

    def full(path, data):
        if "00060" in path.name:
            raise WriteError("The disk is full.")
        write(path, data)

    monkeypatch.setattr(crops_module, "write_whole", full)
    with pytest.raises(WriteError):
        take_crops(study, study.items[0], [crop(study, box) for box in boxes])
    assert list(crops_of(Study.open(study.folder), "field.png")) == boxes[:1]


def test_beside_a_program_that_does_not_let_the_study_go_nothing_is_added_to_it(study, monkeypatch):
    lock = acquire(study.folder / "study.lock", PaintingSession.new(), "B01")
    monkeypatch.setattr("allxai_desktop.study.folder._PATIENCE_S", 0)
    with pytest.raises(StudyError, match="in use by another program"):
        take_crops(study, study.items[0], [crop(study, Box(10, 20, 32))])
    assert not (study.folder / "study.toml").exists()
    lock.release()
    take_crops(study, study.items[0], [crop(study, Box(10, 20, 32))])
    assert [item.field for item in Study.open(study.folder).items] == [None, "field.png", None]


def test_who_knows_the_study_as_it_was_before_a_crop_does_not_link_it_twice(study):
    box = Box(10, 20, 32)
    for _time in range(2):
        take_crops(study, study.items[0], [crop(study, box)])
    assert (study.folder / "study.toml").read_text().count("[[items]]") == 1


def test_a_field_may_have_any_name(tmp_path):
    name = "frotis_ñ_😀.png"
    Image.new("RGB", (80, 80)).save(tmp_path / name)
    study = Study.open(tmp_path)
    take_crops(study, study.items[0], [crop(study, Box(10, 20, 32), name)])
    assert list(crops_of(Study.open(tmp_path), name)) == [Box(10, 20, 32)]


def test_another_file_of_the_name_stays_as_it_is(study):
    taken = study.folder / "field_00010_00020_32.png"
    taken.write_bytes(b"notes")
    assert take_crops(study, study.items[0], [crop(study, Box(10, 20, 32))]) == ["field_00010_00020_32-2.png"]
    assert taken.read_bytes() == b"notes"


def test_what_was_written_in_the_study_file_stays(study):
    toml = study.folder / "study.toml"
    toml.write_text('title = "Frotis"  # mine\n[[items]]\nimage = "field.png"\nsubject = "S3"\n', "utf-8")
    known = Study.open(study.folder)
    take_crops(known, known.items[0], [crop(study, Box(0, 0, 32))])
    assert toml.read_text("utf-8").startswith('title = "Frotis"  # mine\n[[items]]\nimage = "field.png"\n')
    assert Study.open(study.folder).items[1].subject == "S3"


def test_a_study_file_that_cannot_take_it_up_stays_as_it_is(study):
    toml = study.folder / "study.toml"
    toml.write_text('items = [{image = "field.png"}]\n', "utf-8")
    with pytest.raises(StudyError, match=r"\[\[items\]\]"):
        take_crops(study, study.items[0], [crop(study, Box(0, 0, 32))])
    assert toml.read_text("utf-8") == 'items = [{image = "field.png"}]\n'


def test_a_crop_holds_nothing_but_pixels(study):
    exif = Image.Exif()
    exif[0x010E] = "Ana Pérez"
    Image.fromarray(np.zeros((80, 100, 3), np.uint8)).save(study.folder / "other.jpg", exif=exif)
    known = Study.open(study.folder)
    field = next(item for item in known.items if item.image_path.name == "other.jpg")
    name = take_crops(known, field, [(Box(0, 0, 32), np.zeros((32, 32, 3), np.uint8))])[0]
    content = (study.folder / name).read_bytes()
    assert b"Ana" not in content
    assert str(study.folder).encode() not in content
    with Image.open(study.folder / name) as written:
        assert written.info == {}


def test_the_study_is_read_again_with_the_crop_first(study):
    name = take_crops(study, study.items[0], [crop(study, Box(0, 0, 32))])[0]
    again = study_with(study, study.items[0], name)
    assert again.items[again.start].image_path.name == name
    assert len(again.items) == 3


def test_a_field_opened_alone_is_shown_with_its_crops_only(study):
    alone = Study.open(study.folder / "field.png")
    name = take_crops(alone, alone.items[0], [crop(study, Box(0, 0, 32))])[0]
    assert [item.image_path.name for item in study_with(alone, alone.items[0], name).items] == [
        "field.png",
        name,
    ]
