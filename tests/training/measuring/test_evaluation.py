import numpy as np
import pytest

from allxai_desktop.training.measuring.evaluation import (
    Answers,
    EvaluationError,
    GroupResult,
    Mistake,
    evaluate,
)
from allxai_desktop.training.measuring.metrics import summary


def answers(truth, predicted, classes=2, sure=2.0, groups=None):
    """Return answers whose logit is `sure` for the predicted class, 0 for the others."""
    logits = sure * np.eye(classes)[np.asarray(predicted)]
    files = tuple(f"{number}.png" for number in range(len(truth)))
    return Answers(logits, np.asarray(truth, np.int64), files, groups)


def published(matrix):
    """Return answers with this confusion matrix."""
    cells = [(t, p) for t, row in enumerate(matrix) for p, count in enumerate(row) for _ in range(count)]
    truth, predicted = np.array(cells).T
    return answers(truth, predicted, len(matrix))


RESNET34 = [[2915, 64], [60, 633]]


def test_the_figures_of_resnet34_have_intervals_that_hold_them():
    found = evaluate(published(RESNET34), ("typical", "atypical"), "typical")
    figures = found.of_class["typical"]
    assert found.positive == "typical"
    assert figures["recall"].value == 2915 / 2979
    assert figures["specificity"].value == 633 / 693
    assert figures["fn_of_all"].value == 64 / 3672
    assert found.overall["accuracy"].value == 1 - 124 / 3672
    # Normal approximation: 1.96 · √(p(1 − p)/n) = 0.0058.
    assert found.overall["accuracy"].high - found.overall["accuracy"].low == pytest.approx(
        2 * 0.0058, abs=1e-3
    )
    # With two levels of certainty the curve has one corner, and its area is the balanced accuracy.
    assert found.overall["auc"].value == pytest.approx(found.overall["balanced_accuracy"].value)
    assert figures["auc"] == found.of_class["atypical"]["auc"]


def test_the_values_are_those_of_the_summary():
    matrix = [[42, 0, 12], [7, 39, 0], [0, 27, 27]]
    classes = ("b", "normal", "t")
    found, expected = evaluate(published(matrix), classes), summary(np.array(matrix), classes)
    assert found.positive is None
    assert found.confusion.tolist() == matrix
    assert found.overall["accuracy"].value == expected["accuracy"]
    assert found.overall["balanced_accuracy"].value == pytest.approx(expected["balanced_accuracy"])
    for name in classes:
        assert found.of_class[name]["recall"].value == expected["recall"][name]
        assert found.of_class[name]["precision"].value == expected["precision"][name]
    assert found.of_class["normal"]["specificity"].value == 81 / 108
    assert found.of_class["normal"]["fn_of_all"].value == 7 / 154


def test_a_class_without_images_has_no_recall_and_no_auc():
    found = evaluate(answers([0, 1] * 6, [0, 1, 1, 0] * 3, 3), ("a", "b", "c"))
    assert found.of_class["c"]["recall"].reason == "undefined"
    assert found.of_class["c"]["auc"].value is None
    assert found.of_class["c"]["specificity"].value == 1.0
    assert found.roc["c"] is None
    assert found.overall["auc"].value == 0.5
    assert found.overall["balanced_accuracy"].value == 0.5


def test_one_class_alone_has_an_accuracy_and_no_auc():
    found = evaluate(answers([0] * 8, [0] * 7 + [1]), ("a", "b"), "a")
    assert found.overall["accuracy"].value == 7 / 8
    assert found.overall["auc"].reason == "undefined"


def test_the_auc_tells_apart_what_the_probabilities_no_longer_can():
    # Both probabilities of the first class are 1.0 in floating point.
    logits = np.array([[100.0, 0], [90.0, 0]] * 5)
    found = evaluate(Answers(logits, np.array([0, 1] * 5), ("x",) * 10), ("a", "b"), "a")
    assert found.overall["auc"].value == 1.0


def test_subjects_with_one_class_each_allow_no_interval_where_one_class_has_two():
    groups = tuple(np.repeat([f"{n}" for n in range(8)] + ["H10", "H14"], 10))
    truth = np.repeat([0] * 8 + [1] * 2, 10)
    predicted = np.where(np.arange(100) % 4 == 0, 1 - truth, truth)
    found = evaluate(answers(truth, predicted, groups=groups), ("all", "hem"), "all")
    assert found.groups == 10
    assert found.of_class["all"]["recall"].reason is None
    for name in ("accuracy", "balanced_accuracy", "auc", "calibration_error"):
        assert found.overall[name].reason == "few-groups"
    assert found.of_class["all"]["specificity"].reason == "few-groups"
    assert found.by_group[-1] == GroupResult("H14", 10, 0.8)


def test_the_temperature_comes_from_the_validation_part():
    # Right in 3 of 4 cases; sure to 0.9.
    validation = answers([0, 0, 0, 1], [0, 0, 0, 0], sure=np.log(9))
    test = answers([0, 1] * 20, [0, 1] * 15 + [1, 0] * 5, sure=np.log(9))
    found = evaluate(test, ("a", "b"), "a", validation)
    assert found.temperature == pytest.approx(2.0)
    assert found.overall["calibration_error"].value == pytest.approx(0.15)
    assert found.reliability.error == pytest.approx(0.15)
    # 0.75 sure and 30 of 40 right.
    assert found.overall["calibration_error_scaled"].value == pytest.approx(0.0, abs=1e-9)
    assert found.reliability_scaled.error == pytest.approx(0.0, abs=1e-9)


def test_without_a_validation_part_nothing_is_scaled():
    found = evaluate(answers([0, 1] * 6, [0, 1, 1, 0] * 3), ("a", "b"), "a")
    assert found.temperature is None
    assert found.reliability_scaled is None
    assert "calibration_error_scaled" not in found.overall


def test_the_surest_mistake_comes_first():
    logits = np.array([[2.0, 0], [0, 1.0], [0, 3.0], [5.0, 0]])
    found = evaluate(
        Answers(logits, np.array([1, 0, 0, 0]), ("a.png", "b.png", "c.png", "d.png")), ("x", "y"), "x"
    )
    probability = 1 / (1 + np.exp(-3))
    assert found.mistakes[0] == Mistake("c.png", "x", "y", pytest.approx(probability))
    assert [mistake.file for mistake in found.mistakes] == ["c.png", "a.png", "b.png"]


def test_answers_that_are_not_numbers_are_refused():
    with pytest.raises(EvaluationError, match="lower learning rate"):
        Answers(np.array([[np.nan, 0.0]]), np.array([0]), ("a",))


def test_no_images_are_refused():
    with pytest.raises(EvaluationError, match="no images"):
        Answers(np.zeros((0, 2)), np.zeros(0, np.int64), ())


def test_two_classes_need_a_positive_one():
    with pytest.raises(ValueError, match="positive class"):
        evaluate(answers([0, 1], [0, 1]), ("a", "b"))


@pytest.mark.parametrize(("truth", "files"), [([0], "ab"), ([0, 2], "ab"), ([0, 1], "a")])
def test_answers_that_do_not_fit_are_refused(truth, files):
    with pytest.raises(ValueError, match=r"shapes|truth"):
        Answers(np.zeros((2, 2)), np.array(truth), tuple(files))
