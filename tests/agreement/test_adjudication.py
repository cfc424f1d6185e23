import numpy as np
import pytest

from allxai_desktop.agreement.adjudication import (
    Adjudication,
    agreed,
    check_pair,
    final_study,
    start_final,
    unfinished_note,
    with_finals,
)
from allxai_desktop.agreement.plan import AgreementError, final_path
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import MaskFile, load_mask, save_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.study.locks import PaintingSession, acquire, lock_path

# Three regions: four pixels nucleus | cytoplasm, two cytoplasm | background, one unlabelled | red cell.
FIRST = np.array([[1, 1, 1, 5, 5, 5], [1, 1, 5, 5, 2, 2], [5, 5, 5, 5, 5, 5], [0, 5, 5, 5, 5, 5]], np.uint8)
SECOND = np.array([[2, 2, 1, 5, 5, 5], [2, 2, 5, 5, 5, 5], [5, 5, 5, 5, 5, 5], [4, 5, 5, 5, 5, 5]], np.uint8)


@pytest.fixture
def paint():
    return PaintModel(agreed(FIRST, SECOND))


@pytest.fixture
def model(paint):
    return Adjudication(paint, FIRST, SECOND)


def decisions(model):
    return [model.decision(number) for number in range(len(model.regions))]


def test_what_both_say_is_kept_and_the_rest_is_open():
    assert agreed(FIRST, SECOND)[:2].tolist() == [[0, 0, 1, 5, 5, 5], [0, 0, 5, 5, 0, 0]]


def test_it_begins_at_the_largest_region_with_all_open(model):
    assert (model.current, model.open_count) == (0, 3)


def test_choosing_a_side_paints_it_and_goes_on(model, paint):
    model.choose("second")
    assert paint.codes[:2, :2].tolist() == [[2, 2], [2, 2]]
    assert (decisions(model), model.current) == (["second", "open", "open"], 1)
    model.choose("first")
    assert paint.codes[1, 4:].tolist() == [2, 2]
    assert (decisions(model), model.current) == (["second", "first", "open"], 2)


def test_a_choice_is_one_undo_step_and_undone_it_is_open_again(model, paint):
    model.choose("first")
    paint.undo()
    assert model.decision(0) == "open"
    assert not paint.can_undo


def test_a_side_without_a_label_cannot_be_chosen(model, paint):
    model.go_to(2)
    assert (model.may_choose("first"), model.may_choose("second")) == (False, True)
    paint.apply(model.region.indices, 3)
    model.choose("first")
    assert (model.decision(2), model.current) == ("own", 2)


def test_two_masks_that_agree_everywhere_leave_nothing_to_decide():
    paint = PaintModel(FIRST)
    model = Adjudication(paint, FIRST, FIRST)
    model.step(1)
    model.next_open()
    model.choose("first")
    model.choose_rest("first")
    paint.apply(np.array([0]), 2)
    assert (model.current, model.region, model.open_count) == (-1, None, 0)
    assert not model.may_choose("first")


def test_a_region_is_looked_at_once_and_only_where_there_is_one(model):
    seen = []
    model.current_changed.connect(seen.append)
    model.go_to(1)
    model.go_to(1)
    for number in (-1, 3):
        with pytest.raises(IndexError):
            model.go_to(number)
    assert seen == [1]


def test_painting_oneself_decides_once_every_pixel_has_a_label(model, paint):
    told = []
    model.changed.connect(lambda: told.append(decisions(model)))
    paint.apply(np.array([0, 1]), 3)
    assert told == []
    paint.apply(np.array([6, 7]), 1)
    assert told == [["own", "open", "open"]]


def test_the_rest_goes_to_one_side_in_one_step(model, paint):
    model.choose("second")
    model.choose_rest("first")
    # The unlabelled pixel of the first stays open.
    assert decisions(model) == ["second", "first", "open"]
    assert model.current == 2
    paint.undo()
    assert decisions(model) == ["second", "open", "open"]


def test_the_walk_goes_round_by_size(model):
    walked = []
    model.current_changed.connect(walked.append)
    for by in (1, 1, 1, -1):
        model.step(by)
    assert walked == [1, 2, 0, 2]


def test_the_next_open_region_is_beyond_those_decided(model):
    model.go_to(1)
    model.choose("first")
    assert model.current == 2
    model.go_to(0)
    model.next_open()
    assert model.current == 2


def test_locks_do_not_keep_a_side_from_being_chosen(paint):
    paint.locked, paint.only_over = {1}, 5
    model = Adjudication(paint, FIRST, SECOND)
    model.choose("first")
    assert model.decision(0) == "first"


def test_a_final_mask_that_is_there_goes_on_where_it_was(paint):
    paint.apply(np.array([0, 1, 6, 7]), 1)
    model = Adjudication(paint, FIRST, SECOND)
    assert (model.decision(0), model.current) == ("first", 1)


def test_closed_it_follows_no_more(model, paint):
    model.close()
    paint.apply(np.array([0, 1, 6, 7]), 1)
    assert model.decision(0) == "open"


# In the study


def test_the_final_mask_says_who_adjudicated_and_the_others_stay(study):
    item = study.items[0]
    before = item.mask_path.read_bytes()
    start_final(study, item, read_image(item.image_path), FIRST, SECOND, "R01")
    final = load_mask(study.folder / "final" / "cell_1.npz", read_image(item.image_path))
    assert final.meta["annotator"] == "R01"
    assert final.codes.tolist() == agreed(FIRST, SECOND).tolist()
    assert item.mask_path.read_bytes() == before


def test_a_final_mask_is_never_begun_anew(study):
    item = study.items[0]
    image = read_image(item.image_path)
    start_final(study, item, image, FIRST, FIRST, "R01")
    start_final(study, item, image, FIRST, SECOND, "R02")
    assert load_mask(study.folder / "final" / "cell_1.npz").codes.tolist() == FIRST.tolist()


def test_what_another_adjudicator_decides_meanwhile_stays(study, monkeypatch):
    item = study.items[0]
    path, decided = final_path(study, item), np.full_like(load_mask(item.mask_path).codes, 3)
    path.parent.mkdir()
    lock = acquire(lock_path(path), PaintingSession.new(), "R02")

    def meanwhile(_seconds):
        save_mask(path, decided, annotator="R02")
        lock.release()

    monkeypatch.setattr("allxai_desktop.study.locks.time.sleep", meanwhile)
    first = load_mask(item.mask_path).codes
    start_final(study, item, read_image(item.image_path), first, first, "R01")
    assert np.array_equal(load_mask(path).codes, decided)
    assert not lock.path.exists()


def test_a_lock_that_somebody_left_does_not_keep_the_final_mask_from_what_both_agree_on(study, monkeypatch):
    item = study.items[0]
    path = final_path(study, item)
    path.parent.mkdir()
    acquire(lock_path(path), PaintingSession.new(), "R02")
    monkeypatch.setattr("allxai_desktop.agreement.adjudication._PATIENCE_S", 0.0)
    start_final(study, item, read_image(item.image_path), FIRST, SECOND, "R01")
    assert load_mask(path).codes.tolist() == agreed(FIRST, SECOND).tolist()


def test_the_study_of_final_masks(study):
    found = final_study(study, study.items[1:3], "R01", 1)
    assert [item.mask_path.relative_to(study.folder).as_posix() for item in found.items] == [
        "final/cell_2.npz",
        "final/cell_3.npz",
    ]
    assert (found.annotator, found.start) == ("R01", 1)


def test_first_masks_and_other_final_ones_are_not_written_over(study):
    kept = final_study(study, study.items[1:3], "R01", 1).mask_paths
    assert kept == study.mask_paths | {final_path(study, item) for item in study.items}


def test_only_a_mask_that_was_adjudicated_to_the_end_is_final(study):
    for item, second in zip(study.items[:2], (FIRST, SECOND), strict=True):
        start_final(study, item, read_image(item.image_path), np.where(FIRST, FIRST, 5), second, "R01")
    final_path(study, study.items[1]).write_bytes(b"PK nothing")
    finals = with_finals(study)
    assert [item.mask_path.parent.name for item in finals.items] == ["masks"] * 6
    assert unfinished_note(study, finals) == [
        "2 final masks have open regions or cannot be read, and the first masks went out: cell_1.png, cell_2.png."
    ]
    save_mask(final_path(study, study.items[0]), np.full((4, 6), 5, np.uint8))
    finals = with_finals(study)
    assert [item.mask_path.parent.name for item in finals.items] == ["final"] + ["masks"] * 5
    assert unfinished_note(study, finals) == [
        "The final mask of cell_2.png has open regions or cannot be read: the first mask went out."
    ]


def test_masks_of_two_images_are_refused():
    one, other = (MaskFile(FIRST, {"image_sha256": sha}) for sha in ("a", "b"))
    check_pair("cell.png", one, one)
    check_pair("cell.png", one, MaskFile(SECOND))
    with pytest.raises(AgreementError, match=r"^The two masks of cell.png were made on different images"):
        check_pair("cell.png", one, other)
    with pytest.raises(AgreementError):
        check_pair("cell.png", one, MaskFile(FIRST[:2]))
