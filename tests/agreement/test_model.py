import numpy as np
import pytest

from allxai_desktop.agreement.gathering import StudyAgreement
from allxai_desktop.agreement.model import AgreementModel, SecondState
from allxai_desktop.agreement.plan import second_path
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask


@pytest.fixture
def model(study, pump):
    made = AgreementModel(pump)
    made.set_study(study)
    yield made
    made.close()


@pytest.fixture
def settle(model, pump):
    def wait():
        # One worker: what is asked of it later is done later.
        model.runner._worker.submit(lambda: None).result(20)
        pump.run()

    return wait


@pytest.fixture
def failures(model):
    told = []
    model.failed.connect(told.append)
    return told


def annotate(study, count):
    """Second masks of the first `count` images, the n-th moved down by n pixels."""
    for number, item in enumerate(study.items[:count]):
        codes = np.roll(load_mask(item.mask_path).codes, number, axis=0)
        save_mask(second_path(study, item, "A02"), codes, image=read_image(item.image_path))


def test_a_second_annotation_is_started_and_followed(model, study):
    told = []
    model.plan_changed.connect(lambda: told.append(list(model.seconds)))
    model.start("A02", 0.5, 3)
    assert told == [[SecondState("A02", 3, 0, 3)]]
    for item in model.blind_study("A02").items[:2]:
        save_mask(item.mask_path, np.ones((4, 6), np.uint8))
    model.refresh()
    assert model.seconds == [SecondState("A02", 3, 2, 1)]


def test_what_cannot_be_drawn_is_told(model, failures):
    model.start("A01", 0.5, 0)
    assert failures[0].startswith("There is no image that another person than A01 has annotated")
    assert model.blind_study("A01") is None
    assert failures[1] == "A01 has no second annotation: draw images first."


def test_masks_are_compared_in_the_background(model, study, settle):
    model.start("A02", 1, 0)
    annotate(study, 3)
    told = []
    model.result_changed.connect(lambda: told.append(model.result))
    model.measure(proposal=False)
    assert (model.runner.running, told) == (True, [])
    settle()
    assert [type(one) for one in told] == [StudyAgreement]
    assert model.comparison.kind == "pair"
    assert [one.compared.name for one in model.ranked] == ["cell_3.png", "cell_2.png", "cell_1.png"]


def test_the_images_of_the_comparison_that_is_shown(model, study, settle):
    model.start("A02", 1, 0)
    annotate(study, 2)
    model.measure(proposal=True)
    settle()
    assert [(image.name, one.pair.second) for image, one in model.rows] == [
        ("cell_2.png", "A02"),
        ("cell_1.png", "A02"),
    ]
    model.show(1)
    assert [one for _image, one in model.rows] == [None] * 6
    assert len(model.ranked) == 2


def test_another_comparison_is_shown(model, study, settle):
    model.start("A02", 1, 0)
    annotate(study, 1)
    model.measure(proposal=True)
    settle()
    told = []
    model.result_changed.connect(lambda: told.append(model.comparison.kind))
    model.show(1)
    model.show(1)
    assert told == ["proposal"]


def test_nothing_to_compare_is_told(model, settle, failures):
    model.measure(proposal=False)
    settle()
    assert failures[0].startswith("Nothing to compare yet")
    assert model.result is None


def test_another_study_takes_the_result_away(model, study, settle, tmp_path, make_study):
    model.start("A02", 1, 0)
    annotate(study, 1)
    model.measure(proposal=False)
    settle()
    model.set_study(make_study(tmp_path / "other"))
    assert (model.result, model.seconds, model.ranked) == (None, [], [])


def test_the_report_is_written(model, study, settle, tmp_path):
    model.start("A02", 1, 0)
    annotate(study, 1)
    model.measure(proposal=False)
    settle()
    told = []
    model.exported.connect(told.append)
    model.export(tmp_path / "out")
    settle()
    assert told == [["agreement.csv", "agreement.json", "agreement.html"]]


def test_an_adjudication_is_prepared(model, study, settle):
    model.start("A02", 1, 0)
    annotate(study, 2)
    model.measure(proposal=False)
    settle()
    told = []
    model.prepared.connect(told.append)
    model.adjudicate(model.ranked[0], "R01")
    settle()
    (ready,) = told
    assert ready.pair.item.image_path.name == "cell_2.png"
    assert (ready.first != ready.second).sum() == 6
    (item,) = ready.study.items
    final = load_mask(item.mask_path)
    assert (item.mask_path.parent, final.meta["annotator"]) == (study.folder / "final", "R01")
    assert (final.codes == 0).sum() == 6


def test_the_next_adjudication_is_one_that_waits(model, study, settle):
    model.start("A02", 1, 0)
    annotate(study, 4)
    model.measure(proposal=False)
    settle()
    told = []
    model.prepared.connect(lambda ready: told.append(ready.pair.item.stem))
    model.all_decided.connect(lambda: told.append("all decided"))
    pairs = {one.pair.item.stem: one.pair for one in model.ranked}
    assert list(pairs) == ["cell_3", "cell_2", "cell_4", "cell_1"]
    model.adjudicate(model.ranked[0], "R01")
    settle()
    # Those without a final mask; then on from the current one, round the list; cell_1 has nothing to decide.
    for current in ("cell_3", "cell_2", "cell_4", "cell_1", "cell_3", "cell_2"):
        model.adjudicate_next(pairs[current], "R01")
        settle()
    assert told == ["cell_3", "cell_2", "cell_4", "cell_1", "cell_3", "cell_2", "cell_4"]
    for stem in ("cell_3", "cell_4"):
        save_mask(study.folder / "final" / f"{stem}.npz", np.full((4, 6), 5, np.uint8))
    model.adjudicate_next(pairs["cell_2"], "R01")
    settle()
    assert told[-1] == "all decided"


def test_nobody_adjudicates_without_a_name(model, study, settle, failures):
    model.start("A02", 1, 0)
    annotate(study, 1)
    model.measure(proposal=False)
    settle()
    model.adjudicate(model.ranked[0], "")
    settle()
    assert failures == ["Say who adjudicates first: the final mask keeps that name."]
    assert not (study.folder / "final").exists()


def test_without_a_study_nothing_happens(pump):
    model = AgreementModel(pump)
    model.start("A02", 0.5, 0)
    model.measure(proposal=False)
    assert (model.blind_study("A02"), model.runner.running) == (None, False)
    model.close()


def test_a_damaged_database_is_told(model, study, failures):
    (study.folder / "study.sqlite").write_bytes(b"no database at all" * 100)
    model.refresh()
    assert failures[0].startswith("study.sqlite is damaged")


def test_what_was_painted_a_moment_ago_is_on_disk_before_masks_are_read(study, pump):
    flushed = []
    model = AgreementModel(pump, lambda: flushed.append(True))
    model.set_study(study)
    model.start("A02", 1, 0)
    annotate(study, 1)
    model.measure(proposal=False)
    model.runner._worker.submit(lambda: None).result(20)
    pump.run()
    assert flushed == [True]
    model.measure_again()
    model.runner._worker.submit(lambda: None).result(20)
    model.close()
    assert flushed == [True, True]
