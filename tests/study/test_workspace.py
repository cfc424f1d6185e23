"""Opening, saving and what happens when that fails."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person


@pytest.fixture
def folder(tmp_path):
    for number in range(2):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(tmp_path / f"cell_{number}.png")
    return tmp_path


def opened(workspace, pump, path):
    workspace.open(path)
    pump.until(lambda: workspace.index is not None)


def test_a_folder_opens_on_its_first_image(workspace, pump, folder):
    opened(workspace, pump, folder)
    assert workspace.image.name == "cell_0.png"
    assert workspace.paint.shape == (3, 4)


def test_an_image_that_was_read_as_the_window_closed_is_not_shown(workspace, pump, folder):
    workspace.open(folder)
    show = pump.calls.get(timeout=20)
    workspace.close()
    show()
    assert workspace.image is None


def test_an_image_opens_in_its_folder(workspace, pump, folder):
    opened(workspace, pump, folder / "cell_1.png")
    assert workspace.image.name == "cell_1.png"


def test_each_stroke_reaches_the_disk(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.apply(np.array([0, 5]), 2)
    pump.until(lambda: workspace.saved == "saved")
    assert np.load(folder / "masks" / "cell_0.npz")["mask"].tolist() == [
        [2, 0, 0, 0],
        [0, 2, 0, 0],
        [0, 0, 0, 0],
    ]


def test_an_image_that_was_only_looked_at_gets_no_mask_file(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.save()
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert not (folder / "masks").exists()


def test_going_on_and_back_finds_what_was_painted(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.apply(np.array([11]), 5)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert not workspace.paint.codes.any()
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.codes[2, 3] == 5


def test_what_was_accepted_is_still_told_apart_on_coming_back(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.begin_stroke("proposal")
    workspace.paint.apply(np.array([0, 1, 2]), 2)
    workspace.paint.end_stroke()
    workspace.paint.apply(np.array([3]), 4)
    pump.until(lambda: workspace.saved == "saved")
    assert load_mask(workspace.mask_path).meta["accepted_proposal_share"] == 0.75
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.person[0].tolist() == [False, False, False, True]


def away_and_back(workspace, pump):
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)


def test_what_was_painted_is_undone_on_coming_back_and_saved_so(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.begin_stroke("proposal")
    workspace.paint.apply(np.array([0, 1]), 2)
    workspace.paint.end_stroke()
    workspace.paint.apply(np.array([1, 2]), 3)
    away_and_back(workspace, pump)
    workspace.paint.undo()
    pump.until(lambda: workspace.saved == "saved")
    assert load_mask(workspace.mask_path).codes.tolist() == [[2, 2, 0, 0], [0] * 4, [0] * 4]
    assert load_mask(workspace.mask_path).meta["accepted_proposal_share"] == 1.0


def test_what_somebody_else_saved_meanwhile_is_not_undone(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.apply(np.array([0]), 2)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert not workspace.unsaved()
    save_mask(folder / "masks" / "cell_0.npz", np.full((3, 4), 5, np.uint8))
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.codes.min() == 5
    assert not workspace.paint.can_undo


def test_half_a_stroke_is_not_saved(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.begin_stroke()
    workspace.paint.apply(np.array([0]), 4)
    workspace.save()
    assert not workspace.unsaved()
    assert not workspace.mask_path.exists()
    workspace.paint.apply(np.array([1]), 4)
    workspace.paint.end_stroke()
    pump.until(lambda: workspace.saved == "saved")
    assert load_mask(workspace.mask_path).codes[0].tolist()[:3] == [4, 4, 0]


def test_what_is_painted_while_the_image_is_read_anew_stays(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.show(0)
    loaded = pump.calls.get(timeout=20)
    workspace.paint.apply(np.array([0]), 4)
    shown = []
    workspace.item_shown.connect(shown.append)
    loaded()
    pump.until(lambda: shown)
    assert workspace.paint.codes[0, 0] == 4
    assert workspace.mask_path.name == "cell_0.npz"


def test_a_stroke_in_hand_is_saved_for_the_image_before(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.paint.begin_stroke()
    workspace.paint.apply(np.array([0]), 2)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert workspace.saved == "saved"
    assert not workspace.unsaved()
    assert load_mask(folder / "masks" / "cell_0.npz").codes[0, 0] == 2


def test_an_unreadable_image_is_told_and_the_one_on_screen_stays(workspace, pump, folder):
    (folder / "cell_1.png").write_bytes(b"")
    opened(workspace, pump, folder)
    failed = []
    workspace.item_failed.connect(failed.append)
    workspace.step(1)
    pump.until(lambda: failed)
    assert failed == [1]
    assert workspace.index == 0
    assert [notice.level for notice in workspace.notices] == ["error"]
    assert "cell_1.png" in workspace.notices[0].text


def test_a_study_is_opened_at_its_first_image_that_can_be_read(workspace, pump, folder):
    (folder / "cell_0.png").write_bytes(b"")
    failed = []
    workspace.item_failed.connect(failed.append)
    workspace.open(folder)
    pump.until(lambda: workspace.index == 1)
    assert failed == [0]


def test_where_only_an_image_before_the_start_can_be_read_that_one_opens(workspace, pump, folder):
    (folder / "cell_1.png").write_bytes(b"")
    workspace.open_study(replace(Study.open(folder), start=1))
    pump.until(lambda: workspace.index == 0)


def test_a_study_of_which_nothing_can_be_read_is_gone_through_once(workspace, pump, folder):
    for number in range(2):
        (folder / f"cell_{number}.png").write_bytes(b"")
    failed = []
    workspace.item_failed.connect(failed.append)
    workspace.open_study(replace(Study.open(folder), start=1))
    pump.until(lambda: len(failed) == 2)
    # What was asked for before the study closes is done by then.
    workspace.close()
    pump.run()
    assert failed == [1, 0]


def test_a_single_image_that_cannot_be_read_leaves_the_study(workspace, pump, folder, tmp_path_factory):
    opened(workspace, pump, folder)
    broken = tmp_path_factory.mktemp("other") / "broken.png"
    broken.write_bytes(b"")
    workspace.open(broken)
    pump.until(lambda: workspace.notices)
    assert "broken.png" in workspace.notices[0].text
    assert workspace.study.folder == folder
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert workspace.image.name == "cell_1.png"


def test_a_folder_without_images_leaves_what_is_open(workspace, pump, folder, tmp_path_factory):
    opened(workspace, pump, folder)
    workspace.open(tmp_path_factory.mktemp("empty"))
    assert [notice.level for notice in workspace.notices] == ["error"]
    assert workspace.image.name == "cell_0.png"


def test_a_mask_of_another_image_is_kept_and_painting_goes_to_another_file(workspace, pump, folder):
    path = folder / "masks" / "cell_0.npz"
    path.parent.mkdir()
    save_mask(path, np.full((9, 9), 1, np.uint8))
    before = path.read_bytes()
    opened(workspace, pump, folder)
    assert workspace.notices[0].level == "warning"
    workspace.paint.apply(np.array([0]), 3)
    pump.until(lambda: workspace.saved == "saved")
    assert path.read_bytes() == before
    assert load_mask(folder / "masks" / "cell_0-2.npz").codes[0, 0] == 3


def test_what_was_painted_beside_a_foreign_mask_is_found_again(workspace, pump, folder):
    path = folder / "masks" / "cell_0.npz"
    path.parent.mkdir()
    path.write_bytes(b"no mask")
    opened(workspace, pump, folder)
    workspace.paint.apply(np.array([0]), 3)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.codes[0, 0] == 3
    assert workspace.mask_path.name == "cell_0-2.npz"


def test_what_could_not_be_saved_is_still_there_on_coming_back(workspace, pump, folder):
    opened(workspace, pump, folder)
    (folder / "masks").write_text("in the way")
    workspace.paint.apply(np.array([0]), 3)
    pump.until(lambda: workspace.saved == "failed")
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.codes[0, 0] == 3


def test_a_folder_that_cannot_be_written_is_told_and_the_labels_stay(workspace, pump, folder):
    opened(workspace, pump, folder)
    # A file where the folder should be: refused for every user, root too.
    (folder / "masks").write_text("in the way")
    workspace.paint.apply(np.array([0]), 3)
    pump.until(lambda: workspace.saved == "failed")
    assert workspace.notices[-1].level == "error"
    assert workspace.paint.codes[0, 0] == 3
    assert workspace.unsaved()


def test_what_was_accepted_and_could_not_be_saved_is_told_apart_on_coming_back(workspace, pump, folder):
    opened(workspace, pump, folder)
    (folder / "masks").write_text("in the way")
    workspace.paint.begin_stroke("proposal")
    workspace.paint.apply(np.array([0, 1]), 2)
    workspace.paint.end_stroke()
    pump.until(lambda: workspace.saved == "failed")
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    workspace.step(-1)
    pump.until(lambda: workspace.index == 0)
    assert workspace.paint.accepted.reshape(-1).nonzero()[0].tolist() == [0, 1]


def test_export_writes_a_mask_that_opens_against_its_image(workspace, pump, folder, tmp_path):
    opened(workspace, pump, folder)
    workspace.paint.apply(np.array([0]), 4)
    workspace.export(tmp_path / "out.npz")
    pump.until(lambda: workspace.notices)
    assert workspace.notices[-1].level == "info"
    assert load_mask(tmp_path / "out.npz", workspace.image).codes[0, 0] == 4


@pytest.mark.parametrize("place", [0, 1])
def test_a_mask_is_not_exported_over_an_image_of_the_study(workspace, pump, folder, place):
    opened(workspace, pump, folder)
    path = workspace.study.items[place].image_path
    before = path.read_bytes()
    workspace.export(path, "png")
    pump.until(lambda: workspace.notices)
    text = f"{path.name} is one of the images or their masks: choose another name."
    assert [notice.text for notice in workspace.notices] == [text]
    assert path.read_bytes() == before


def test_a_mask_is_not_exported_over_that_of_another_image(workspace, pump, folder):
    opened(workspace, pump, folder)
    path = workspace.study.items[1].mask_path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a mask")
    workspace.export(path)
    pump.until(lambda: workspace.notices)
    assert workspace.notices[0].level == "error"
    assert path.read_bytes() == b"a mask"


def test_an_exported_mask_says_what_a_proposal_set(workspace, pump, folder, tmp_path):
    opened(workspace, pump, folder)
    workspace.paint.begin_stroke("proposal")
    workspace.paint.apply(np.array([0]), 4)
    workspace.paint.end_stroke()
    workspace.paint.apply(np.array([1]), 4)
    workspace.export(tmp_path / "out.npz")
    pump.until(lambda: workspace.notices)
    assert np.flatnonzero(load_mask(tmp_path / "out.npz").accepted).tolist() == [0]


def test_the_pixel_size_of_the_study_goes_before_that_of_the_file(workspace, pump, folder):
    (folder / "study.toml").write_text('[[items]]\nimage = "cell_0.png"\npixel_size_um = 0.1\n')
    opened(workspace, pump, folder)
    assert workspace.image.pixel_size_um == 0.1


def test_the_mask_of_the_image_before_is_told_before_it_goes(workspace, pump, folder):
    opened(workspace, pump, folder)
    left = []
    workspace.item_left.connect(lambda: left.append((workspace.index, workspace.paint.codes.tolist())))
    workspace.paint.begin_stroke()
    workspace.paint.apply(np.array([0]), 2)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert left == [(0, [[2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])]


def test_an_image_read_ahead_is_not_read_again(workspace, pump, folder, monkeypatch):
    opened(workspace, pump, folder)
    workspace.prefetch(1)
    monkeypatch.setattr("allxai_desktop.study.workspace.open_image", None)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1)
    assert workspace.image.name == "cell_1.png"


def test_whoever_is_known_signs_the_mask(workspace, pump, folder):
    opened(workspace, pump, folder)
    workspace.person = Person("A07")
    workspace.paint.apply(np.array([0]), 2)
    pump.until(lambda: workspace.saved == "saved")
    assert load_mask(folder / "masks" / "cell_0.npz").meta["annotator"] == "A07"


def test_a_study_of_a_database_that_cannot_be_used_is_not_opened(workspace, folder):
    (folder / "study.sqlite").write_bytes(b"no database" * 200)
    workspace.open(folder)
    assert workspace.study is None
    assert "study.sqlite is damaged" in workspace.notices[0].text
