import numpy as np
import pytest
from mask_studies import CODES, SHAPE, make_study, masks_of, names_in, turned_study
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.formats import EXPORTS
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.mask_export import export_study
from allxai_desktop.study.mask_import import import_masks


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


@pytest.mark.parametrize(("name", "notes"), [("png", 1), ("npz", 0)])
def test_a_mask_that_does_not_know_the_pixels_of_a_turned_image_is_to_be_looked_at(tmp_path, name, notes):
    study, empty = turned_study(tmp_path / "study"), turned_study(tmp_path / "empty")
    save_mask(study.items[0].mask_path, CODES, image=read_image(study.items[0].image_path))
    export_study(study, EXPORTS[name], tmp_path / "out")
    found = import_masks(empty, tmp_path / "out").notes
    said = "a.png is turned upright by its EXIF data, which not every program follows: look at its mask."
    assert found == [said] * notes


def test_no_mask_that_was_renamed_comes_back_to_an_image_of_its_new_name(tmp_path):
    study = make_study(tmp_path / "study", ("Image_0000.png", "image_0001.png"), labelled=("Image_0000.png",))
    export_study(study, EXPORTS["png"], tmp_path / "out", rename=True)
    assert names_in(tmp_path / "out") == ["exported_image_0001.png"]
    (problem,) = import_masks(study, tmp_path / "out").problems
    assert problem.startswith("The study has no image called exported_image_0001")


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
