import csv
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from written import content

from allxai_desktop.files import WriteError
from allxai_desktop.images import read_image
from allxai_desktop.masks.formats import EXPORTS
from allxai_desktop.masks.npz import MaskError, load_mask, mask_meta, save_mask
from allxai_desktop.painting.history import Edit, Runs
from allxai_desktop.study import exchange
from allxai_desktop.study.exchange import export_study, free_folder, import_masks, uncertain_labels
from allxai_desktop.study.folder import Study
from allxai_desktop.study.journal import Journal
from allxai_desktop.study.journal_file import NO_FILE, Head
from allxai_desktop.study.locks import Lock, PaintingSession, acquire, lock_path
from allxai_desktop.study.opening import sha256_or_unknown
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Cancelled

SHAPE = (4, 5)
CODES = np.arange(20, dtype=np.uint8).reshape(SHAPE) % 6


SEVERAL = (
    "There are several masks of Ana Ruiz 1.png, maybe of several folders or copies: leave only the right one."
)


def make_study(folder, names=("Ana Ruiz 1.png", "Ana Ruiz 2.png"), labelled=None):
    """A study whose images differ; each of `labelled`, all by default, has a mask."""
    (folder / "images").mkdir(parents=True)
    for number, name in enumerate(names):
        pixels = np.full((*SHAPE, 3), 10 * number, np.uint8)
        exif = Image.Exif()
        exif[0x010E] = "Ana Ruiz"
        Image.fromarray(pixels).save(folder / "images" / name, exif=exif)
    study = Study.open(folder)
    for number, item in enumerate(study.items):
        if labelled is None or item.image_path.name in labelled:
            save_mask(
                item.mask_path, (CODES + number) % 6, image=read_image(item.image_path), annotator="A07"
            )
    return study


@pytest.fixture
def study(tmp_path):
    return make_study(tmp_path / "study")


@pytest.fixture
def empty(tmp_path):
    """The same images without masks."""
    return make_study(tmp_path / "empty", labelled=())


def masks_of(study):
    return [load_mask(item.mask_path).codes.tolist() for item in study.items if item.mask_path.exists()]


def leave_stroke(item, mask_sha256):
    """Leave what a crash does: a stroke in a journal on a mask file."""
    head = Head(read_image(item.image_path).sha256, mask_sha256, *SHAPE, PaintingSession.new())
    stroke = Edit(np.array([0, 1]), np.zeros(2, np.uint8), np.ones(2, np.uint8))
    Journal(item.mask_path, head).append(Runs.pack(stroke))


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# Out and in again


@pytest.mark.parametrize("name", ["npz", "npz-study", "png", "coco", "ome-tiff", "labelme"])
def test_a_study_goes_out_and_comes_back(study, empty, tmp_path, name):
    out = export_study(study, EXPORTS[name], tmp_path / "out")
    back = import_masks(empty, tmp_path / "out")
    assert (out.count, out.without, out.problems) == (2, 0, [])
    assert (back.count, back.kept, back.problems, back.notes) == (2, [], [], [])
    assert masks_of(empty) == masks_of(study)


def test_the_folder_for_matlab_comes_back_without_its_mat(study, empty, tmp_path):
    export_study(study, EXPORTS["matlab"], tmp_path / "out")
    for labels in (tmp_path / "out").glob("PixelLabelData*"):
        # As macOS leaves beside files on foreign disks.
        (labels / "._1.png").write_bytes(b"no picture")
    assert import_masks(empty, tmp_path / "out").count == 2
    assert masks_of(empty) == masks_of(study)


def test_for_matlab_an_image_called_like_the_mask_of_another_keeps_its_own(tmp_path):
    names = ("cell.ome.tif", "x.png", "x_mask.png")
    study = make_study(tmp_path / "study", names)
    export_study(study, EXPORTS["matlab"], tmp_path / "out")
    empty = make_study(tmp_path / "empty", names, labelled=())
    assert import_masks(empty, tmp_path / "out").problems == []
    assert masks_of(empty) == masks_of(study)


def test_a_mask_goes_out_with_its_state_in_the_study_where_it_is_that_mask(study, tmp_path):
    person, progress = Person("A07"), Progress(StudyStore(study.folder))
    first, second = study.items
    progress.submit(person, first.image_path.name, hash_on_disk(first))
    progress.submit(person, second.image_path.name, "0" * 64)
    export_study(study, EXPORTS["npz"], tmp_path / "out")
    found = [mask_meta(tmp_path / "out" / item.mask_path.name)["state"] for item in study.items]
    assert found == ["submitted", "in-progress"]


def test_an_imported_mask_is_tied_to_its_image(study, empty, tmp_path):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    import_masks(empty, tmp_path / "out")
    for item in empty.items:
        assert load_mask(item.mask_path, read_image(item.image_path)).warning is None


def test_renamed_masks_are_known_by_the_pixels_of_their_images(study, empty, tmp_path):
    export_study(study, EXPORTS["npz"], tmp_path / "out", rename=True)
    assert import_masks(empty, tmp_path / "out").count == 2
    assert masks_of(empty) == masks_of(study)


def test_a_renamed_mask_of_two_images_with_the_same_pixels_goes_to_neither(tmp_path):
    names = ("Ana Ruiz 1.png", "Ana Ruiz 2.png", "Ana Ruiz 3.png")
    study, empty = make_study(tmp_path / "study", names), make_study(tmp_path / "empty", names, ())
    for folder in (study.folder, empty.folder):
        Image.new("RGB", SHAPE[::-1], (10, 10, 10)).save(folder / "images" / names[2])
    last = study.items[2]
    save_mask(last.mask_path, CODES, image=read_image(last.image_path))
    export_study(study, EXPORTS["npz"], tmp_path / "out", rename=True)
    report = import_masks(empty, tmp_path / "out")
    twins = "may be the mask of Ana Ruiz 2.png or Ana Ruiz 3.png: give it the whole name of its image."
    assert report.problems == [f"image_0002.png {twins}", f"image_0003.png {twins}"]
    assert masks_of(empty) == masks_of(study)[:1]


@pytest.mark.parametrize("name", ["npz", "npz-study"])
def test_what_a_proposal_set_goes_out_and_comes_back(study, empty, tmp_path, name):
    item, accepted = study.items[0], CODES == 2
    save_mask(item.mask_path, CODES, image=read_image(item.image_path), accepted=accepted)
    export_study(study, EXPORTS[name], tmp_path / "out")
    import_masks(empty, tmp_path / "out")
    back = [load_mask(item.mask_path).accepted for item in empty.items]
    assert (back[0].tolist(), back[1]) == (accepted.tolist(), None)


def test_what_is_unlabelled_on_its_way_in_was_accepted_from_no_proposal(study, empty, tmp_path):
    item = study.items[0]
    save_mask(item.mask_path, CODES, image=read_image(item.image_path), accepted=(CODES == 2) | (CODES == 3))
    export_study(study, EXPORTS["npz"], tmp_path / "out")
    import_masks(empty, tmp_path / "out", {"cytoplasm": 0})
    assert (load_mask(empty.items[0].mask_path).accepted == (CODES == 3)).all()


def test_who_painted_a_mask_of_ours_comes_back(study, empty, tmp_path):
    export_study(study, EXPORTS["npz"], tmp_path / "out")
    import_masks(empty, tmp_path / "out")
    assert [load_mask(item.mask_path).meta["annotator"] for item in empty.items] == ["A07", "A07"]


# Out


def test_nothing_that_is_renamed_tells_the_old_name(study, tmp_path):
    for name, form in EXPORTS.items():
        export_study(study, form, tmp_path / name, rename=True, images=True)
        for file in names_in(tmp_path / name):
            assert "Ana" not in file
            assert b"Ana" not in content(tmp_path / name / file)


def test_no_mask_that_was_renamed_comes_back_to_an_image_of_its_new_name(tmp_path):
    study = make_study(tmp_path / "study", ("Image_0000.png", "image_0001.png"), labelled=("Image_0000.png",))
    export_study(study, EXPORTS["png"], tmp_path / "out", rename=True)
    assert names_in(tmp_path / "out") == ["exported_image_0001.png"]
    (problem,) = import_masks(study, tmp_path / "out").problems
    assert problem.startswith("The study has no image called exported_image_0001")


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

    monkeypatch.setattr("allxai_desktop.study.exchange.write_table", refused)
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


def turned_study(folder):
    """A study of one image that is stored upside down, and says so."""
    study = make_study(folder, ("a.png",), labelled=())
    exif = Image.Exif()
    exif[0x0112] = 3
    item = study.items[0]
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(*SHAPE, 3)).save(item.image_path, exif=exif)
    return study


def test_that_others_may_not_turn_an_image_as_its_exif_data_say_is_told_where_it_stays_here(tmp_path):
    study = turned_study(tmp_path / "study")
    save_mask(study.items[0].mask_path, CODES, image=read_image(study.items[0].image_path))
    assert str(export_study(study, EXPORTS["png"], tmp_path / "out")) == (
        "1 mask exported. 1 image is turned upright by its EXIF data, which not every program follows: "
        "export the images as well."
    )
    assert str(export_study(study, EXPORTS["png"], tmp_path / "both", images=True)) == "1 mask exported."


@pytest.mark.parametrize(("name", "notes"), [("png", 1), ("npz", 0)])
def test_a_mask_that_does_not_know_the_pixels_of_a_turned_image_is_to_be_looked_at(tmp_path, name, notes):
    study, empty = turned_study(tmp_path / "study"), turned_study(tmp_path / "empty")
    save_mask(study.items[0].mask_path, CODES, image=read_image(study.items[0].image_path))
    export_study(study, EXPORTS[name], tmp_path / "out")
    found = import_masks(empty, tmp_path / "out").notes
    said = "a.png is turned upright by its EXIF data, which not every program follows: look at its mask."
    assert found == [said] * notes


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


@pytest.mark.parametrize("form", ["png", "ome-tiff", "labelme"])
def test_masks_of_images_of_one_stem_come_back(tmp_path, form):
    names = ("a.bmp", "a.png", "a.bmp.png", "b.png")
    study, empty = make_study(tmp_path / "study", names), make_study(tmp_path / "empty", names, ())
    export_study(study, EXPORTS[form], tmp_path / "out")
    assert import_masks(empty, tmp_path / "out").problems == []
    assert masks_of(empty) == masks_of(study)


def test_a_name_with_its_accents_apart_is_the_same_name(tmp_path):
    empty = make_study(tmp_path / "accents", ("n\u00fa\u00f1ez.png",), ())
    Image.fromarray(np.full(SHAPE, 4, np.uint8)).save(tmp_path / "nu\u0301n\u0303ez.png")
    assert import_masks(empty, tmp_path / "nu\u0301n\u0303ez.png").count == 1


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


# In


def test_a_mask_that_is_there_is_kept_unless_asked(study, tmp_path):
    before = masks_of(study)
    folder = tmp_path / "new"
    folder.mkdir()
    Image.fromarray(np.full(SHAPE, 4, np.uint8)).save(folder / "Ana Ruiz 1.png")
    report = import_masks(study, folder)
    assert (report.count, report.kept) == (0, ["Ana Ruiz 1.png"])
    assert str(report) == "0 masks imported. 1 image kept the mask that it had."
    assert masks_of(study) == before
    assert import_masks(study, folder, replace_existing=True).count == 1
    assert masks_of(study) == [np.full(SHAPE, 4).tolist(), before[1]]


def test_strokes_that_a_crash_left_before_there_was_a_mask_are_kept(study, empty):
    item = empty.items[0]
    item.mask_path.parent.mkdir()
    leave_stroke(item, NO_FILE)
    report = import_masks(empty, study.items[0].mask_path.parent)
    assert (report.count, report.kept) == (1, ["Ana Ruiz 1.png"])
    assert not item.mask_path.exists()
    assert import_masks(empty, study.items[0].mask_path.parent, replace_existing=True).count == 2


def test_an_image_that_nobody_annotated_there_keeps_its_mask(study, tmp_path):
    before = masks_of(study)
    content = {"imagePath": "Ana Ruiz 1.png", "imageHeight": 4, "imageWidth": 5, "shapes": []}
    (tmp_path / "x.json").write_text(json.dumps(content))
    report = import_masks(study, tmp_path / "x.json", replace_existing=True)
    assert (report.count, report.kept) == (0, ["Ana Ruiz 1.png"])
    assert masks_of(study) == before


def test_an_approval_is_void_with_the_mask_that_is_imported_over(study, tmp_path):
    states, item = Progress(StudyStore(study.folder)), study.items[0]
    name, approved = item.image_path.name, hash_on_disk(item)
    states.submit(Person("A07"), name, approved)
    states.approve(Person("R02", "reviewer"), name, approved)
    Image.fromarray(np.full(SHAPE, 4, np.uint8)).save(tmp_path / "Ana Ruiz 1.png")
    import_masks(study, tmp_path / "Ana Ruiz 1.png", replace_existing=True)
    last = states.trail()[-1]
    assert (states.items()[name].state, last.action) == ("in-progress", "found")
    assert (last.mask_before, last.mask_after) == (approved, hash_on_disk(item))


def test_who_imports_over_a_mask_cannot_approve_it(study, tmp_path):
    states, item, reviewer = Progress(StudyStore(study.folder)), study.items[0], Person("R02", "reviewer")
    states.submit(Person("A07"), item.image_path.name, hash_on_disk(item))
    Image.fromarray(np.full(SHAPE, 4, np.uint8)).save(tmp_path / "Ana Ruiz 1.png")
    import_masks(study, tmp_path / "Ana Ruiz 1.png", replace_existing=True, person=reviewer)
    assert states.items()[item.image_path.name].annotator == "R02"


def test_what_is_submitted_while_an_import_goes_on_is_void_with_its_mask(study, tmp_path):
    states, item = Progress(StudyStore(study.folder)), study.items[1]
    for place, one in enumerate(study.items):
        Image.fromarray(np.full(SHAPE, 3 + place, np.uint8)).save(tmp_path / one.image_path.name)

    def meanwhile(share):
        if share == 0.5:
            states.submit(Person("A07"), item.image_path.name, hash_on_disk(item))

    import_masks(study, tmp_path, replace_existing=True, progress=meanwhile)
    found = states.items()
    assert list(found) == [item.image_path.name]
    assert (found[item.image_path.name].state, found[item.image_path.name].mask_sha256) == (
        "in-progress",
        hash_on_disk(item),
    )


def test_an_image_that_somebody_paints_is_left_alone(study, empty, tmp_path):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    (empty.folder / "masks").mkdir()
    locked = lock_path(empty.items[0].mask_path)
    elsewhere = replace(PaintingSession.new(), machine="0" * 64)
    assert isinstance(acquire(locked, elsewhere, "B01"), Lock)
    report = import_masks(empty, tmp_path / "out")
    assert report.count == 1
    assert re.fullmatch(
        r"B01 has been painting Ana Ruiz 1.png since .+: import its mask when that is done\.",
        *report.problems,
    )
    assert not empty.items[0].mask_path.exists()


def test_a_mask_that_somebody_saves_while_the_import_reads_stays(study, empty, tmp_path, monkeypatch):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    item, codes_of = empty.items[0], exchange.to_codes

    def meanwhile(*given):
        if not item.mask_path.exists():
            save_mask(item.mask_path, np.ones(SHAPE, np.uint8), annotator="B01")
        return codes_of(*given)

    monkeypatch.setattr(exchange, "to_codes", meanwhile)
    report = import_masks(empty, tmp_path / "out")
    assert (report.count, report.kept) == (1, ["Ana Ruiz 1.png"])
    assert (load_mask(item.mask_path).codes == 1).all()
    assert not lock_path(item.mask_path).exists()


def test_an_image_that_somebody_begins_to_paint_while_the_import_reads_is_left_alone(
    study, empty, tmp_path, monkeypatch
):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    locked, codes_of = lock_path(empty.items[0].mask_path), exchange.to_codes

    def meanwhile(*given):
        acquire(locked, replace(PaintingSession.new(), machine="0" * 64), "B01")
        return codes_of(*given)

    monkeypatch.setattr(exchange, "to_codes", meanwhile)
    report = import_masks(empty, tmp_path / "out")
    assert report.count == 1
    assert [text[:28] for text in report.problems] == ["B01 has been painting Ana Ru"]
    assert locked.exists()


def test_an_image_that_this_program_paints_takes_its_mask(study, empty, tmp_path):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    (empty.folder / "masks").mkdir()
    assert isinstance(acquire(lock_path(empty.items[0].mask_path), PaintingSession.new(), "A07"), Lock)
    assert import_masks(empty, tmp_path / "out").count == 2


def test_a_file_that_is_no_mask_of_the_image_is_never_written_over(study, tmp_path):
    path = study.items[0].mask_path
    path.write_bytes(study.items[1].mask_path.read_bytes())
    before = path.read_bytes()
    Image.fromarray(np.full(SHAPE, 4, np.uint8)).save(tmp_path / "Ana Ruiz 1.png")
    report = import_masks(study, tmp_path / "Ana Ruiz 1.png", replace_existing=True)
    assert report.problems[0].startswith("Ana Ruiz 1.npz belongs to Ana Ruiz 2.png")
    assert path.read_bytes() == before


def test_a_mask_of_another_size_is_refused(empty, tmp_path):
    Image.fromarray(np.ones((5, 4), np.uint8)).save(tmp_path / "Ana Ruiz 1.png")
    report = import_masks(empty, tmp_path / "Ana Ruiz 1.png")
    assert report.problems == [
        "The mask of Ana Ruiz 1.png is 4×5 pixels, but the image is 5×4: find its own mask."
    ]
    assert masks_of(empty) == []


def test_a_mask_of_other_pixels_is_refused(study, empty, tmp_path):
    export_study(study, EXPORTS["npz-study"], tmp_path / "out")
    Image.new("RGB", SHAPE[::-1], (200, 0, 0)).save(empty.items[0].image_path)
    report = import_masks(empty, tmp_path / "out" / "masks.npz")
    assert report.count == 1
    assert report.problems == [
        "The mask of Ana Ruiz 1.png was made on other pixels than this image has: find its own mask."
    ]


def test_a_mask_without_an_image_is_named(empty, tmp_path):
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(tmp_path / "other_mask.png")
    report = import_masks(empty, tmp_path / "other_mask.png")
    assert report.problems == [
        "The study has no image called other_mask / other: name the mask as its image."
    ]


def test_a_mask_that_was_put_aside_is_of_no_image(empty, tmp_path):
    (tmp_path / "new").mkdir()
    for name, code in (("Ana Ruiz 1.old.png", 1), ("Ana Ruiz 1.png", 2)):
        Image.fromarray(np.full(SHAPE, code, np.uint8)).save(tmp_path / "new" / name)
    (problem,) = import_masks(empty, tmp_path / "new").problems
    assert problem.startswith("The study has no image called Ana Ruiz 1.old:")
    assert masks_of(empty) == [np.full(SHAPE, 2).tolist()]


def test_two_images_of_one_stem_are_not_guessed_between(tmp_path):
    study = make_study(tmp_path / "study", ("a.bmp", "a.tif"), labelled=())
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(tmp_path / "a.png")
    report = import_masks(study, tmp_path / "a.png")
    assert report.problems == ["a may be the mask of a.bmp or a.tif: give it the whole name of its image."]


def test_of_two_masks_of_an_image_none_is_taken(empty, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    for name, code in (("Ana Ruiz 1.png", 1), ("Ana Ruiz 1_mask.png", 2)):
        Image.fromarray(np.full(SHAPE, code, np.uint8)).save(folder / name)
    report = import_masks(empty, folder, replace_existing=True)
    assert report.problems == [SEVERAL] * 2
    assert masks_of(empty) == []


def test_of_two_masks_of_an_image_the_one_that_fits_it_is_taken(empty, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(folder / "Ana Ruiz 1.png")
    Image.fromarray(np.ones((9, 9), np.uint8)).save(folder / "Ana Ruiz 1_mask.png")
    report = import_masks(empty, folder, replace_existing=True)
    assert report.problems == ["There are two masks of Ana Ruiz 1.png: the first was taken."]
    assert masks_of(empty) == [np.ones(SHAPE).tolist()]


def test_of_masks_of_one_name_from_several_folders_none_is_taken(empty, tmp_path):
    images = [
        {"id": number, "file_name": f"patient {number}/Ana Ruiz 1.png", "height": SHAPE[0], "width": SHAPE[1]}
        for number in (1, 2)
    ]
    path = tmp_path / "masks.json"
    path.write_text(json.dumps({"images": images, "categories": [], "annotations": []}))
    assert import_masks(empty, path).problems == [SEVERAL] * 2
    assert masks_of(empty) == []


def test_an_image_that_a_joined_file_lists_twice_has_one_mask(empty, tmp_path):
    image = {"id": 1, "file_name": "Ana Ruiz 1.png", "height": SHAPE[0], "width": SHAPE[1]}
    part = {"image_id": 1, "category_id": 2, "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]}
    content = {"images": [image, image], "categories": [{"id": 2, "name": "vacuole"}], "annotations": [part]}
    (tmp_path / "masks.json").write_text(json.dumps(content))
    assert import_masks(empty, tmp_path / "masks.json").problems == []
    assert masks_of(empty) == [[[3, 0, 0, 0, 0], *[[0] * 5] * 3]]


def test_of_masks_that_matlab_numbered_for_images_of_one_name_none_is_taken(empty, tmp_path):
    (tmp_path / "PixelLabelData").mkdir()
    for number in (1, 2):
        picture = Image.fromarray(np.full(SHAPE, number, np.uint8))
        picture.save(tmp_path / "PixelLabelData" / f"Label_{number}_Ana Ruiz 1.png")
    assert import_masks(empty, tmp_path / "PixelLabelData").problems == [SEVERAL] * 2
    assert masks_of(empty) == []


def test_images_that_are_called_as_matlab_calls_masks_have_a_mask_each(tmp_path):
    study = make_study(tmp_path / "study", ("Label_1_cell.png", "Label_2_cell.png"), labelled=())
    (tmp_path / "new").mkdir()
    for number in (1, 2):
        Image.fromarray(np.full(SHAPE, number, np.uint8)).save(tmp_path / "new" / f"Label_{number}_cell.png")
    assert import_masks(study, tmp_path / "new").problems == []
    assert [mask[0][0] for mask in masks_of(study)] == [1, 2]


def test_an_image_that_had_another_format_there_is_the_one_of_its_name(empty, tmp_path):
    image = {"id": 1, "file_name": "Ana Ruiz 1.webp", "height": SHAPE[0], "width": SHAPE[1]}
    (tmp_path / "masks.json").write_text(json.dumps({"images": [image], "categories": [], "annotations": []}))
    assert import_masks(empty, tmp_path / "masks.json").problems == []


def test_of_two_copies_of_a_mask_none_is_taken(study, empty, tmp_path):
    (tmp_path / "new").mkdir()
    for name, codes in (("Ana Ruiz 1 - copy", CODES), ("Ana Ruiz 1", CODES[::-1])):
        image = read_image(study.items[0].image_path)
        save_mask(tmp_path / "new" / f"{name}.npz", np.ascontiguousarray(codes), image=image)
    assert import_masks(empty, tmp_path / "new").problems == [SEVERAL] * 2
    assert masks_of(empty) == []


def test_a_photograph_beside_a_mask_of_its_name_is_no_second_mask(empty, tmp_path):
    (tmp_path / "new").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "new" / "Ana Ruiz 1.bmp")
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(tmp_path / "new" / "Ana Ruiz 1.png")
    assert import_masks(empty, tmp_path / "new").count == 1


def test_of_masks_of_one_name_the_one_that_knows_the_pixels_is_taken(study, empty, tmp_path):
    (tmp_path / "new").mkdir()
    item = study.items[0]
    save_mask(tmp_path / "new" / "b.npz", CODES, image=read_image(item.image_path))
    other = replace(read_image(study.items[1].image_path), name="Ana Ruiz 1.png")
    save_mask(tmp_path / "new" / "a.npz", CODES, image=other)
    assert import_masks(empty, tmp_path / "new").count == 1
    assert masks_of(empty) == [CODES.tolist()]


def test_labels_that_say_what_they_are_need_no_word(study, tmp_path):
    for name in ("npz", "npz-study", "png", "coco", "ome-tiff", "labelme"):
        export_study(study, EXPORTS[name], tmp_path / name)
        assert uncertain_labels(study, tmp_path / name) == []


def test_numbers_of_others_are_looked_at(empty, tmp_path):
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(tmp_path / "Ana Ruiz 1.png")
    assert uncertain_labels(empty, tmp_path / "Ana Ruiz 1.png") == ["1"]
    assert str(import_masks(empty, tmp_path / "Ana Ruiz 1.png")) == (
        "1 mask imported. Ana Ruiz 1.png: its numbers were taken for the classes of this program "
        "(1 Nucleus, 2 Cytoplasm, 3 Vacuole, 4 Red blood cell, 5 Background)."
    )


def test_labels_are_listed_and_mapped(empty, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    for number, values in enumerate(([0, 128], [128, 255]), start=1):
        picture = np.tile(np.array(values, np.uint8), (4, 3))[:, :5]
        Image.fromarray(picture).save(folder / f"Ana Ruiz {number}.png")
    assert uncertain_labels(empty, folder) == ["0", "128", "255"]
    assert "no class (128)" in import_masks(empty, folder).problems[0]
    report = import_masks(empty, folder, {"0": 0, "128": 2, "255": 1})
    assert (report.count, report.problems, report.notes) == (2, [], [])
    assert [mask[0] for mask in masks_of(empty)] == [[0, 2, 0, 2, 0], [2, 1, 2, 1, 2]]


def test_a_file_that_does_not_say_how_large_its_image_is_has_the_size_of_the_image(empty, tmp_path):
    square = {"label": "cell", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    path = tmp_path / "masks.json"
    path.write_text(json.dumps({"shapes": [square], "imagePath": "Ana Ruiz 1.png"}))
    assert uncertain_labels(empty, path) == ["cell"]
    report = import_masks(empty, path, {"cell": 1})
    assert (report.count, report.problems, len(report.notes)) == (1, [], 1)
    assert masks_of(empty) == [[[1, 0, 0, 0, 0], *[[0] * 5] * 3]]


def test_without_a_size_or_a_known_name_it_is_the_name_that_is_missing(empty, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"shapes": []}))
    (problem,) = import_masks(empty, tmp_path / "x.json").problems
    assert problem == "The study has no image called x: name the mask as its image."


def test_overlaps_are_told(empty, tmp_path):
    shape = {"shape_type": "rectangle", "points": [[0, 0], [2, 2]]}
    content = {
        "imagePath": "Ana Ruiz 1.png",
        "imageHeight": 4,
        "imageWidth": 5,
        "shapes": [{"label": label} | shape for label in ("nucleus", "cytoplasm")],
    }
    (tmp_path / "x.json").write_text(json.dumps(content))
    report = import_masks(empty, tmp_path / "x.json")
    assert str(report) == (
        "1 mask imported. Ana Ruiz 1.png: 4 pixels are in several regions; the inner class has them."
    )


def test_an_import_that_is_cancelled_stops(study, empty, tmp_path):
    export_study(study, EXPORTS["png"], tmp_path / "out")

    def cancel(share):
        if share:
            raise Cancelled

    with pytest.raises(Cancelled):
        import_masks(empty, tmp_path / "out", progress=cancel)
    assert len(masks_of(empty)) == 1


def test_a_name_that_a_spreadsheet_would_run_goes_out_as_text(tmp_path):
    study = make_study(tmp_path / "study", ("=cmd.png", "cell.png"))
    export_study(study, EXPORTS["csv"], tmp_path / "out")
    with (tmp_path / "out" / "masks.csv").open(newline="") as stream:
        assert [row[0] for row in csv.reader(stream)] == ["image", "'=cmd.png", "cell.png"]
