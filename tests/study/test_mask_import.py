import json
import re
from dataclasses import replace

import numpy as np
import pytest
from mask_studies import CODES, SHAPE, leave_stroke, make_study, masks_of
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.formats import EXPORTS
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study import mask_import
from allxai_desktop.study.journal_file import NO_FILE
from allxai_desktop.study.locks import Lock, PaintingSession, acquire, lock_path
from allxai_desktop.study.mask_export import export_study
from allxai_desktop.study.mask_import import import_masks, uncertain_labels
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Cancelled

SEVERAL = (
    "There are several masks of Ana Ruiz 1.png, maybe of several folders or copies: leave only the right one."
)


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
    item, codes_of = empty.items[0], mask_import.to_codes

    def meanwhile(*given):
        if not item.mask_path.exists():
            save_mask(item.mask_path, np.ones(SHAPE, np.uint8), annotator="B01")
        return codes_of(*given)

    monkeypatch.setattr(mask_import, "to_codes", meanwhile)
    report = import_masks(empty, tmp_path / "out")
    assert (report.count, report.kept) == (1, ["Ana Ruiz 1.png"])
    assert (load_mask(item.mask_path).codes == 1).all()
    assert not lock_path(item.mask_path).exists()


def test_an_image_that_somebody_begins_to_paint_while_the_import_reads_is_left_alone(
    study, empty, tmp_path, monkeypatch
):
    export_study(study, EXPORTS["png"], tmp_path / "out")
    locked, codes_of = lock_path(empty.items[0].mask_path), mask_import.to_codes

    def meanwhile(*given):
        acquire(locked, replace(PaintingSession.new(), machine="0" * 64), "B01")
        return codes_of(*given)

    monkeypatch.setattr(mask_import, "to_codes", meanwhile)
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
