import numpy as np
import pytest

from allxai_desktop.agreement.gathering import measure_study, pairs_of, parts_of, start_proposal
from allxai_desktop.agreement.plan import AgreementError, SecondPlan, final_path, keep_states, second_path
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.tasks import Cancelled


def annotate(study, person, names=None, shift=0):
    """Second masks by `person` for what was drawn: the first ones, moved down by `shift` pixels."""
    SecondPlan(study).start(person, 1, 0)
    for item in study.items:
        if names is None or item.image_path.name in names:
            codes = np.roll(load_mask(item.mask_path).codes, shift, axis=0)
            save_mask(
                second_path(study, item, person), codes, image=read_image(item.image_path), annotator=person
            )


def test_only_second_masks_that_are_there_make_a_pair(study):
    annotate(study, "A02", ["cell_2.png", "cell_4.png"])
    found = pairs_of(study, SecondPlan(study))
    assert [(one.item.image_path.name, one.first, one.second) for one in found] == [
        ("cell_2.png", "A01", "A02"),
        ("cell_4.png", "A01", "A02"),
    ]


def test_two_second_annotators_are_compared_with_each_other_too(study):
    annotate(study, "A02", ["cell_2.png"])
    annotate(study, "A03", ["cell_2.png"])
    found = pairs_of(study, SecondPlan(study))
    assert [(one.first, one.second) for one in found] == [("A01", "A02"), ("A01", "A03"), ("A02", "A03")]


def test_one_pair_of_people_is_one_comparison(study):
    annotate(study, "A02", ["cell_2.png", "cell_4.png"], shift=1)
    found = measure_study(study)
    (only,) = found.comparisons
    assert (only.kind, only.first, only.second, found.drawn) == ("pair", "A01", "A02", 6)
    # Of two rows of three nucleus pixels one row is in both.
    assert only.agreement.of_class["nucleus"]["dice_pooled"].value == 0.5
    assert [one.differing for one in found.disagreements] == [6, 6]


def test_more_pairs_of_people_are_pooled_too(tmp_path, make_study):
    study = make_study(tmp_path / "study", annotators=("A01", "A02"))
    annotate(study, "A03")
    found = measure_study(study)
    assert [(one.kind, one.first, len(one.agreement.images)) for one in found.comparisons] == [
        ("people", None, 6),
        ("pair", "A01", 3),
        ("pair", "A02", 3),
    ]


def test_people_are_compared_with_the_proposal(study):
    found = measure_study(study, lambda image: np.full(image.pixels.shape[:2], 5, np.uint8))
    (only,) = found.comparisons
    assert (only.kind, len(only.agreement.images)) == ("proposal", 6)
    # 18 of 24 pixels are background in both.
    assert only.agreement.overall["agreement_pooled"].value == 0.75


def test_what_the_program_proposes_has_the_size_of_the_image():
    from allxai_desktop.images import image_from_array

    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)
    codes = start_proposal(image_from_array(pixels, "cell.png"))
    assert (codes.shape, codes.dtype) == ((40, 30), np.uint8)


def test_a_final_mask_says_what_is_still_open_and_who_adjudicated(study):
    annotate(study, "A02", ["cell_1.png", "cell_2.png"], shift=1)
    first, second = (
        load_mask(path).codes
        for path in (study.items[0].mask_path, second_path(study, study.items[0], "A02"))
    )
    codes = np.where(first == second, first, 0).astype(np.uint8)
    codes[1] = first[1]
    final_path(study, study.items[0]).parent.mkdir()
    save_mask(final_path(study, study.items[0]), codes, annotator="R01")
    one, other = measure_study(study).disagreements
    assert (one.open_share, one.adjudicator) == (0.5, "R01")
    assert (other.open_share, other.adjudicator) == (None, None)


def test_a_mask_that_cannot_be_compared_is_named_and_the_rest_goes_on(study):
    annotate(study, "A02", ["cell_1.png", "cell_2.png"])
    second_path(study, study.items[0], "A02").write_bytes(b"PK nothing")
    found = measure_study(study)
    assert len(found.disagreements) == 1
    assert found.problems[0].startswith("cell_1.npz is damaged")


def test_masks_of_two_images_are_named(study):
    annotate(study, "A02", ["cell_1.png", "cell_2.png"])
    one, other = (second_path(study, item, "A02") for item in study.items[:2])
    one.write_bytes(other.read_bytes())
    assert measure_study(study).problems[0].startswith("The two masks of cell_1.png were made on different")


def test_nothing_to_compare_is_one_sentence(study):
    with pytest.raises(AgreementError, match=r"^Nothing to compare yet"):
        measure_study(study)


def test_it_can_be_cancelled(study):
    annotate(study, "A02")
    told = []

    def progress(share):
        told.append(share)
        if len(told) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_study(study, progress=progress)
    assert told == [0, 1 / 6, 2 / 6]


def test_second_annotations_and_final_masks_are_parts_with_trails_of_their_own(study):
    assert parts_of(study) == []
    annotate(study, "A02", ["cell_1.png"])
    keep_states(study.folder / "final")
    save_mask(final_path(study, study.items[2]), load_mask(study.items[2].mask_path).codes)
    second, final = parts_of(study)
    assert (second.folder.name, len(second.items)) == ("A02", 6)
    assert (final.folder.name, len(final.items)) == ("final", 6)
    assert final.items[2].mask_path == final_path(study, study.items[2])


def test_a_second_annotation_whose_images_are_gone_is_still_a_part(study):
    (drawn,) = SecondPlan(study).start("A02", 0.1, 0)
    (study.folder / "images" / drawn.item).unlink()
    (second,) = parts_of(Study.open(study.folder))
    assert second.folder == study.folder / "second" / "A02"
    assert second.items == []
