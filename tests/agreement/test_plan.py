import errno
import os

import numpy as np
import pytest

from allxai_desktop.agreement.plan import (
    AgreementError,
    SecondPlan,
    annotator_of,
    draw,
    keep_states,
    second_path,
)
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.folder import Study, StudyError
from allxai_desktop.study.locks import lock_path
from allxai_desktop.study.people import Person, PersonError
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore

NAMES = [f"cell_{number}.png" for number in range(1, 31)]


def items(seconds):
    return [one.item for one in seconds]


def test_a_share_is_drawn_by_its_seed_in_the_order_of_the_study():
    one, again, other = draw(NAMES, NAMES, 0.2, 1), draw(NAMES, NAMES, 0.2, 1), draw(NAMES, NAMES, 0.2, 2)
    assert one == again == sorted(one, key=NAMES.index)
    assert len(one) == 6
    assert one != other


@pytest.mark.parametrize(("share", "count"), [(0.1, 3), (0.11, 4), (1, 30), (0.001, 1)])
def test_a_share_is_rounded_up(share, count):
    assert len(draw(NAMES, NAMES, share, 0)) == count


def test_only_eligible_images_are_drawn_and_the_share_is_of_them():
    assert draw(NAMES, NAMES[:10], 0.5, 3) == [
        name for name in draw(NAMES, NAMES[:10], 0.5, 3) if name in NAMES[:10]
    ]
    assert len(draw(NAMES, NAMES[:10], 0.5, 3)) == 5


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_lies_between_nothing_and_all(share):
    with pytest.raises(ValueError, match="share"):
        draw(NAMES, NAMES, share, 0)


# Kept in the study


def test_what_was_drawn_is_found_again(study):
    drawn = SecondPlan(study).start("A02", 0.5, 7)
    assert len(drawn) == 3
    assert SecondPlan(Study.open(study.folder)).all() == drawn
    assert {(one.person, one.share, one.seed) for one in drawn} == {("A02", 0.5, 7)}


def test_nothing_is_drawn_of_a_study_that_was_not_asked(study):
    assert SecondPlan(study).all() == []
    assert not (study.folder / "study.sqlite").exists()


def test_nobody_is_given_their_own_images(tmp_path, make_study):
    study = make_study(tmp_path / "study", annotators=("A01", "A02"))
    assert items(SecondPlan(study).start("a02", 1, 0)) == ["cell_1.png", "cell_3.png", "cell_5.png"]


def test_who_painted_last_by_the_record_counts(study):
    progress = Progress(StudyStore.open(study.folder))
    progress.edited(Person("A02"), "cell_1.png", None, "1" * 64)
    assert "cell_1.png" not in items(SecondPlan(study).start("A02", 1, 0))


def test_images_without_a_first_mask_are_not_drawn(tmp_path, make_study):
    study = make_study(tmp_path / "study", labelled=2)
    assert items(SecondPlan(study).start("A02", 1, 0)) == ["cell_1.png", "cell_2.png"]


def test_more_can_be_drawn_later_and_none_twice(study):
    plan = SecondPlan(study)
    first, second = plan.start("A02", 0.5, 1), plan.start("a02", 1, 1)
    assert not set(items(first)) & set(items(second))
    assert items(plan.all()) == [item.image_path.name for item in study.items]
    assert {one.person for one in plan.all()} == {"A02"}
    with pytest.raises(
        AgreementError, match=r"^There is no image that another person than A02 has annotated"
    ):
        plan.start("A02", 1, 1)


def test_what_was_drawn_by_mistake_is_taken_back_but_for_what_is_begun(study):
    plan = SecondPlan(study)
    for person in ("A02", "A03"):
        plan.start(person, 1, 0)
    save_mask(second_path(study, study.items[1], "A02"), np.ones((4, 6), np.uint8))
    lock_path(second_path(study, study.items[2], "A02")).touch()
    plan.take_back("A02")
    assert [one.item for one in plan.all() if one.person == "A02"] == ["cell_2.png", "cell_3.png"]
    assert len([one for one in plan.all() if one.person == "A03"]) == 6


def test_nothing_is_taken_back_where_the_disk_does_not_say_what_is_begun(study, monkeypatch):
    plan = SecondPlan(study)
    plan.start("A02", 1, 0)
    save_mask(second_path(study, study.items[1], "A02"), np.ones((4, 6), np.uint8))

    def gone(folder):
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr(os, "listdir", gone)
    with pytest.raises(StudyError):
        plan.take_back("A02")
    assert len(plan.all()) == 6


def test_two_who_draw_for_one_person_at_one_time_both_succeed(study, monkeypatch):
    def meanwhile(folder):
        monkeypatch.undo()
        SecondPlan(study).start("A02", 1, 2)
        keep_states(folder)

    monkeypatch.setattr("allxai_desktop.agreement.plan.keep_states", meanwhile)
    assert len(SecondPlan(study).start("A02", 0.5, 1)) == 3
    assert items(SecondPlan(study).all()) == [item.image_path.name for item in study.items]


def test_only_a_pseudonym_is_taken(study):
    with pytest.raises(PersonError):
        SecondPlan(study).start("../A02", 1, 0)


def test_a_mask_of_nobody_known_may_be_annotated_by_anybody(study):
    item = study.items[0]
    save_mask(item.mask_path, load_mask(item.mask_path).codes)
    assert SecondPlan(study).first_annotators()["cell_1.png"] is None
    assert "cell_1.png" in items(SecondPlan(study).start("A01", 1, 0))


def test_a_mask_that_cannot_be_read_has_no_annotator(study):
    study.items[0].mask_path.write_bytes(b"PK nothing")
    assert annotator_of(study.items[0]) is None


# Blind


def test_the_blind_study_holds_what_was_drawn_and_no_first_mask(study):
    plan = SecondPlan(study)
    drawn = plan.start("A02", 0.5, 7)
    blind = plan.blind_study("A02")
    assert [item.image_path.name for item in blind.items] == items(drawn)
    assert blind.folder == study.folder / "second" / "A02"
    assert blind.annotator == "A02"
    firsts = {item.mask_path for item in study.items}
    assert not firsts & {item.mask_path for item in blind.items}
    assert all(item.mask_path.parent == blind.folder for item in blind.items)


def test_first_masks_and_second_ones_that_may_be_drawn_later_are_not_written_over(study):
    SecondPlan(study).start("A02", 0.5, 7)
    kept = SecondPlan(study).blind_study("A02").mask_paths
    assert kept == study.mask_paths | {second_path(study, item, "A02") for item in study.items}


def test_the_blind_study_goes_on_where_no_mask_is(study):
    plan = SecondPlan(study)
    plan.start("A02", 1, 0)
    save_mask(second_path(study, study.items[0], "A02"), np.ones((4, 6), np.uint8))
    assert plan.blind_study("A02").start == 1


def test_the_blind_study_goes_on_where_somebody_was_painting(study):
    plan = SecondPlan(study)
    plan.start("A02", 1, 0)
    person, record = Person("A02"), Progress(StudyStore(study.folder / "second" / "A02"))
    for item in study.items[:3]:
        save_mask(second_path(study, item, "A02"), np.ones((4, 6), np.uint8))
        record.submit(person, item.image_path.name, "a" * 64)
    record.edited(person, "cell_2.png", None, "b" * 64)
    blind = plan.blind_study("A02")
    assert blind.start == 1
    assert plan.done(blind) == [True, False, True, False, False, False]
    assert plan.waiting("A02") == (blind, 4)
    assert plan.waiting("A01") is None
    for item in study.items:
        save_mask(second_path(study, item, "A02"), np.ones((4, 6), np.uint8))
    record.submit(person, "cell_2.png", "b" * 64)
    assert plan.waiting("A02") is None


def test_nothing_to_annotate_is_one_sentence(study):
    with pytest.raises(AgreementError, match=r"^A09 has no second annotation: draw images first"):
        SecondPlan(study).blind_study("A09")


def test_a_folder_that_may_not_be_made_is_one_sentence(study):
    (study.folder / "second").write_text("in the way")
    with pytest.raises(AgreementError, match=r"^The folder A02 cannot be made"):
        SecondPlan(study).start("A02", 1, 0)
    assert SecondPlan(study).all() == []
