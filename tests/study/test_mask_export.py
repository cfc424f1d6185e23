import csv
import json
import os
from pathlib import Path

import pytest
from mask_studies import CODES, SHAPE, leave_stroke, make_study, names_in, turned_study
from PIL import Image
from written import content

from allxai_desktop.files import WriteError
from allxai_desktop.images import read_image
from allxai_desktop.masks.formats import EXPORTS
from allxai_desktop.masks.npz import MaskError, mask_meta, save_mask
from allxai_desktop.study.mask_export import export_study, free_folder
from allxai_desktop.study.opening import sha256_or_unknown
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Cancelled


def test_nothing_that_is_renamed_tells_the_old_name(study, tmp_path):
    for name, form in EXPORTS.items():
        export_study(study, form, tmp_path / name, rename=True, images=True)
        for file in names_in(tmp_path / name):
            assert "Ana" not in file
            assert b"Ana" not in content(tmp_path / name / file)


def test_the_names_stay_in_the_study_and_none_is_lost(study, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        export_study(study, EXPORTS["csv"], tmp_path / folder / "out", rename=True)
    assert [path.name for path in sorted(study.folder.glob("*.csv"))] == [
        "names of out-2.csv",
        "names of out.csv",
    ]
    with (study.folder / "names of out.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["exported", "image"],
            ["image_0001.png", "Ana Ruiz 1.png"],
            ["image_0002.png", "Ana Ruiz 2.png"],
        ]


def test_without_the_table_of_the_old_names_nothing_goes_out(study, tmp_path, monkeypatch):
    def refused(path, _rows):
        raise WriteError(path.name)

    monkeypatch.setattr("allxai_desktop.study.mask_export.write_table", refused)
    with pytest.raises(MaskError, match="The table of the old names cannot be written"):
        export_study(study, EXPORTS["png"], tmp_path / "out", rename=True)
    assert not (tmp_path / "out").exists()


def test_a_study_that_was_moved_is_not_one_without_masks(study, tmp_path):
    study.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(MaskError, match=r"^study was not found: it may have been moved or renamed\.$"):
        export_study(study, EXPORTS["png"], tmp_path / "out")


def test_images_go_out_as_their_pixels_alone(study, tmp_path):
    export_study(study, EXPORTS["coco"], tmp_path / "out", images=True)
    assert names_in(tmp_path / "out") == ["images/Ana Ruiz 1.png", "images/Ana Ruiz 2.png", "masks.json"]
    original, written = (
        read_image(folder / "images" / "Ana Ruiz 2.png") for folder in (study.folder, tmp_path / "out")
    )
    assert written.sha256 == original.sha256
    with Image.open(tmp_path / "out" / "images" / "Ana Ruiz 2.png") as image:
        assert (dict(image.getexif()), image.info) == ({}, {})


def test_that_others_may_not_turn_an_image_as_its_exif_data_say_is_told_where_it_stays_here(tmp_path):
    study = turned_study(tmp_path / "study")
    save_mask(study.items[0].mask_path, CODES, image=read_image(study.items[0].image_path))
    assert str(export_study(study, EXPORTS["png"], tmp_path / "out")) == (
        "1 mask exported. 1 image is turned upright by its EXIF data, which not every program follows: "
        "export the images as well."
    )
    assert str(export_study(study, EXPORTS["png"], tmp_path / "both", images=True)) == "1 mask exported."


def test_labelme_finds_the_images_that_go_out_with_the_masks(study, tmp_path):
    export_study(study, EXPORTS["labelme"], tmp_path / "out", images=True)
    paths = list((tmp_path / "out").glob("*.json"))
    assert len(paths) == 2
    for path in paths:
        image = read_image(path.parent / json.loads(path.read_text())["imagePath"])
        assert image.pixels.shape[:2] == SHAPE


def test_images_of_one_stem_stay_apart(tmp_path):
    study = make_study(tmp_path / "study", ("a.bmp", "a.png"))
    export_study(study, EXPORTS["png"], tmp_path / "out", images=True)
    assert names_in(tmp_path / "out") == ["a.bmp.png", "a.png.png", "images/a.bmp.png", "images/a.png.png"]


def test_images_without_a_mask_are_counted(tmp_path):
    study = make_study(tmp_path / "study", labelled=("Ana Ruiz 2.png",))
    report = export_study(study, EXPORTS["png"], tmp_path / "out", rename=True)
    assert str(report) == "1 mask exported. 1 image has no mask."
    assert names_in(tmp_path / "out") == ["image_0002.png"]


def test_a_mask_that_cannot_go_out_is_named(study, tmp_path):
    study.items[0].mask_path.write_bytes(study.items[1].mask_path.read_bytes())
    report = export_study(study, EXPORTS["png"], tmp_path / "out")
    assert report.count == 1
    assert report.problems[0].startswith("Ana Ruiz 1.npz belongs to Ana Ruiz 2.png")
    assert str(report) == "1 mask exported. " + report.problems[0]


def test_strokes_that_a_crash_left_beside_a_mask_that_goes_out_are_told(study, tmp_path):
    item = study.items[1]
    leave_stroke(item, sha256_or_unknown(item.mask_path))
    assert export_study(study, EXPORTS["png"], tmp_path / "out").sentences == [
        "Ana Ruiz 2.png has strokes that its mask file does not have yet: open it, and export again."
    ]


def test_a_folder_that_holds_something_is_left_alone(study, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("x")
    with pytest.raises(WriteError, match=r"^out holds something already: choose a new or empty folder"):
        export_study(study, EXPORTS["png"], tmp_path / "out")
    assert names_in(tmp_path / "out") == ["precious.txt"]


def test_an_empty_folder_may_be_chosen(study, tmp_path):
    (tmp_path / "out").mkdir()
    assert export_study(study, EXPORTS["png"], tmp_path / "out").count == 2


def test_the_folder_one_stands_in_may_be_chosen(study, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    export_study(study, EXPORTS["npz"], Path())
    assert len(os.listdir()) == 2


def test_a_study_without_masks_leaves_no_folder(empty, tmp_path):
    with pytest.raises(MaskError, match="Nothing was exported: the study has no masks yet"):
        export_study(empty, EXPORTS["png"], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_an_export_that_is_cancelled_leaves_nothing(study, tmp_path):
    def cancel(share):
        if share:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_study(study, EXPORTS["png"], tmp_path / "out", progress=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_a_new_folder_is_there_with_all_that_belongs_to_it_or_not_at_all(study, tmp_path, monkeypatch):
    seen = []

    def rename(path, target):
        os.rename(path, target)
        seen.append(names_in(tmp_path / "out"))

    monkeypatch.setattr(Path, "rename", rename)
    export_study(study, EXPORTS["npz"], tmp_path / "out")
    assert seen == [["Ana Ruiz 1.npz", "Ana Ruiz 2.npz"]]


def test_what_a_killed_export_left_goes_with_the_next_one_a_day_later(study, tmp_path):
    names = [".out.0123abcd.tmp", ".out.89abcdef.tmp", ".out.of-others.tmp"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").touch()
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / names[1])
    export_study(study, EXPORTS["png"], tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names[1:], "out", "study"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(study, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="could not be written"):
        export_study(study, EXPORTS["png"], tmp_path / "locked" / "out")


def test_a_free_folder_tells_the_format_only(tmp_path):
    assert free_folder(tmp_path, EXPORTS["coco"]) == tmp_path / "masks-coco"
    (tmp_path / "masks-coco").mkdir()
    assert free_folder(tmp_path, EXPORTS["coco"]) == tmp_path / "masks-coco-2"


def test_a_name_that_a_spreadsheet_would_run_goes_out_as_text(tmp_path):
    study = make_study(tmp_path / "study", ("=cmd.png", "cell.png"))
    export_study(study, EXPORTS["csv"], tmp_path / "out")
    with (tmp_path / "out" / "masks.csv").open(newline="") as stream:
        assert [row[0] for row in csv.reader(stream)] == ["image", "'=cmd.png", "cell.png"]


def test_a_mask_goes_out_with_its_state_in_the_study_where_it_is_that_mask(study, tmp_path):
    person, progress = Person("A07"), Progress(StudyStore(study.folder))
    first, second = study.items
    progress.submit(person, first.image_path.name, hash_on_disk(first))
    progress.submit(person, second.image_path.name, "0" * 64)
    export_study(study, EXPORTS["npz"], tmp_path / "out")
    found = [mask_meta(tmp_path / "out" / item.mask_path.name)["state"] for item in study.items]
    assert found == ["submitted", "in-progress"]
