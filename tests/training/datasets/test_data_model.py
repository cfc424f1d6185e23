"""The data set of a training window: listed, looked through, and read another way without being read again."""

import numpy as np
import pytest
from drawn import noise

from allxai_desktop.masks.npz import save_mask
from allxai_desktop.training.datasets.data_model import ClassCount, DataModel, missing_data


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("ig/p1_1", "ig/p1_2", "monocyte/p2_1", "monocyte/p3_1", "platelet/p3_2")):
        noise(tmp_path / "data" / f"{name}.png", seed)
    noise(tmp_path / "data" / "platelet" / "p4_1.png", 99)
    return tmp_path / "data"


@pytest.fixture
def model(pump):
    made = DataModel(pump)
    yield made
    made.close()


def read(model, path):
    model.open(path)
    settle(model)


def settle(model):
    model._lister._dispatch.until(lambda: not model.looking)


def counts(model):
    return {found.name: found.images for found in model.classes}


def test_before_a_choice_it_says_what_to_do(model):
    assert missing_data(model) == "Choose the images to learn from."


def test_a_folder_is_counted_by_class(model, folder):
    read(model, folder)
    assert counts(model) == {"ig": 2, "monocyte": 2, "platelet": 2}
    assert (model.subjects, model.copies, len(model.data.items)) == (None, 0, 6)
    assert missing_data(model) == ""


def test_classes_are_there_before_the_images_are_read(model, folder):
    model.open(folder)
    model._lister._dispatch.until(lambda: model.items)
    assert (counts(model), model.data) == ({"ig": 2, "monocyte": 2, "platelet": 2}, None)
    settle(model)


def test_a_pattern_finds_subjects_without_reading_again(model, folder):
    read(model, folder)
    seen = model._seen
    model.choose(pattern="p[0-9]+")
    assert model.subjects == 4
    assert model.classes[1] == ClassCount("monocyte", 2, 2)
    assert model._seen is seen


def test_a_wrong_pattern_is_told_and_taken_back(model, folder):
    read(model, folder)
    model.choose(pattern="q[0-9]+")
    assert missing_data(model).startswith("The pattern q[0-9]+ finds no subject in p1_1.png")
    model.choose(pattern="")
    assert missing_data(model) == ""


def test_a_class_map_makes_fewer_classes_and_names_the_positive(model, folder):
    read(model, folder)
    assert model.maps == {"pbc-typical": "Peripheral blood cells: typical or atypical"}
    model.choose(class_map="pbc-typical")
    assert counts(model) == {"typical": 4, "atypical": 2}
    assert model.suggested_positive == "atypical"
    model.choose(class_map="")
    assert counts(model) == {"ig": 2, "monocyte": 2, "platelet": 2}


def test_of_two_classes_the_one_that_is_not_called_healthy_is_positive(model, folder):
    read(model, folder)
    assert model.suggested_positive is None
    for seed in (7, 8):
        noise(folder.parent / "two" / "Hem" / f"{seed}.png", seed)
        noise(folder.parent / "two" / "all" / f"{seed}.png", 10 + seed)
    read(model, folder.parent / "two")
    assert model.suggested_positive == "all"


def test_a_class_map_of_other_classes_is_told(model, folder):
    read(model, folder)
    model.choose(class_map="aml-typical")
    assert "does not say what ig, monocyte, platelet becomes" in missing_data(model)


def test_a_class_map_mends_a_class_of_one_image(model, folder):
    (folder / "platelet" / "p4_1.png").unlink()
    read(model, folder)
    assert missing_data(model).startswith("The class platelet has one image")
    model.choose(class_map="pbc-typical")
    settle(model)
    assert (missing_data(model), counts(model)) == ("", {"typical": 3, "atypical": 2})


def test_a_broken_image_is_left_out_and_named(model, folder):
    noise(folder / "ig" / "p5.png", 7)
    (folder / "ig" / "p5.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    read(model, folder)
    assert [found.file for found in model.skipped] == ["ig/p5.png"]
    assert model.notes == []
    assert counts(model)["ig"] == 2


def test_a_copy_is_counted(model, folder):
    (folder / "ig" / "copy.png").write_bytes((folder / "ig" / "p1_1.png").read_bytes())
    read(model, folder)
    assert model.copies == 1
    assert model.notes[-1].startswith("Images that show what another shows, turned or compressed: 1.")


def test_a_folder_without_classes_is_told_until_another_is_chosen(model, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    read(model, tmp_path / "empty")
    assert "put the images of each class into a folder of its own" in missing_data(model)
    model.choose(pattern="p[0-9]+")
    assert "put the images of each class into a folder of its own" in missing_data(model)
    read(model, folder)
    assert missing_data(model) == ""


def test_masks_are_proposed_for_a_folder_of_images(model, tmp_path):
    for number in range(3):
        noise(tmp_path / "plain" / f"{number}.png", number)
    (tmp_path / "plain" / "broken.png").write_bytes(b"nothing")
    read(model, tmp_path / "plain")
    assert model.plain
    assert "put the images of each class into a folder of its own" in missing_data(model)
    model.propose(tmp_path / "out")
    settle(model)
    assert (model.path, model.plain, missing_data(model)) == (tmp_path / "out", False, "")
    assert (model.segmentation, len(model.data.items)) == (True, 3)
    assert model.notes[0].startswith("broken.png is not a PNG")


def test_proposals_do_not_go_into_a_folder_with_files(model, tmp_path):
    noise(tmp_path / "plain" / "1.png", 1)
    read(model, tmp_path / "plain")
    model.propose(tmp_path / "plain")
    settle(model)
    assert "is not empty" in model.error
    assert model.plain


def test_nothing_is_proposed_for_images_with_classes(model, folder):
    read(model, folder)
    assert not model.plain


def test_images_with_masks_are_read_for_segmentation(model, tmp_path):
    for number in range(2):
        noise(tmp_path / "images" / f"{number}.png", number)
        save_mask(tmp_path / "masks" / f"{number}.npz", np.full((16, 20), 1, np.uint8))
    read(model, tmp_path)
    assert (model.segmentation, model.has_masks, model.has_classes) == (True, True, False)
    assert len(model.data.items) == 2


def test_a_study_with_classes_and_masks_is_read_for_the_task_that_is_set(model, tmp_path):
    for number in range(4):
        noise(tmp_path / "images" / f"{number}.png", number)
    save_mask_of(tmp_path, 0)
    save_mask_of(tmp_path, 1)
    rows = "".join(f'[[items]]\nimage = "{n}.png"\nclass = "{"ab"[n % 2]}"\n' for n in range(4))
    (tmp_path / "study.toml").write_text(rows)
    read(model, tmp_path)
    assert (model.segmentation, len(model.data.items)) == (False, 4)
    model.set_task(segmentation=True)
    settle(model)
    assert [item.file for item in model.data.items] == ["images/0.png", "images/1.png"]


def save_mask_of(folder, number):
    save_mask(folder / "masks" / f"{number}.npz", np.full((16, 20), 1, np.uint8))
