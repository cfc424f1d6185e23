import numpy as np
import pytest

from allxai_desktop.training.measuring.metrics import auc, confusion_matrix, roc_curve, summary


def test_rows_of_the_confusion_matrix_are_true_classes():
    assert confusion_matrix([0, 0, 1, 2], [0, 1, 1, 0], 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_the_binary_figures_of_resnet34():
    found = summary(np.array([[2915, 64], [60, 633]]), ("typical", "atypical"), positive="typical")
    assert (found["tp"], found["fn"], found["fp"], found["tn"]) == (2915, 64, 60, 633)
    assert found["images"] == 3672
    assert found["positive_class"] == "typical"
    # The document cuts 3.3769 % to 3.37.
    assert found["error"] == 124 / 3672
    assert found["sensitivity"] == pytest.approx(0.98, abs=0.005)
    assert found["specificity"] == pytest.approx(0.91, abs=0.005)
    assert 100 * found["fn_of_all"] == pytest.approx(1.74, abs=0.005)


def test_the_binary_figures_of_resnet18():
    found = summary(np.array([[2934, 49], [49, 640]]), ("typical", "atypical"), positive="typical")
    assert int(1e4 * found["error"]) == 266
    assert 100 * found["fn_of_all"] == pytest.approx(1.33, abs=0.005)
    assert round(found["sensitivity"], 2) == 0.98
    assert round(found["specificity"], 2) == 0.93


def test_the_positive_class_may_be_the_second():
    found = summary(np.array([[8, 2], [1, 9]]), ("no", "yes"), positive="yes")
    assert (found["tp"], found["fn"], found["fp"], found["tn"]) == (9, 1, 2, 8)


@pytest.mark.parametrize("positive", [None, "other"])
def test_a_binary_summary_without_positive_class_is_refused(positive):
    with pytest.raises(ValueError, match="positive class"):
        summary(np.eye(2, dtype=np.int64), ("a", "b"), positive)


def test_recall_and_precision_by_class_of_the_thesis_resnet50():
    # 42 of 54, 39 of 46 and 27 of 54 are recalls; where the rest went is not told, so any place will do.
    found = summary(np.array([[42, 0, 12], [7, 39, 0], [0, 27, 27]]), ("b", "normal", "t"))
    assert found["accuracy"] == 108 / 154
    assert found["recall"] == {"b": 42 / 54, "normal": 39 / 46, "t": 0.5}
    assert found["precision"] == {"b": 42 / 49, "normal": 39 / 66, "t": 27 / 39}
    assert "positive_class" not in found


def test_a_ratio_over_nothing_is_none():
    found = summary(np.array([[3, 0, 0], [1, 0, 0], [0, 0, 0]]), ("a", "b", "c"))
    assert found["recall"] == {"a": 1.0, "b": 0.0, "c": None}
    assert found["precision"] == {"a": 0.75, "b": None, "c": None}
    assert found["balanced_accuracy"] == 0.5


def known(recalls, sizes):
    """Return a matrix with these recalls; where the mistakes went is not told, so the next class takes them."""
    matrix = np.diag(recalls)
    for number, (right, size) in enumerate(zip(recalls, sizes, strict=True)):
        matrix[number, (number + 1) % len(sizes)] += size - right
    return matrix


@pytest.mark.parametrize(
    ("right", "recalls", "accuracy"),
    [
        ((53, 46, 54), ("98.15", "100.00", "100.00"), "99.35"),
        ((34, 46, 50), ("62.96", "100.00", "92.59"), "84.42"),
        ((42, 39, 27), ("77.78", "84.78", "50.00"), "70.13"),
        ((46, 46, 51), ("85.19", "100.00", "94.44"), "92.86"),
    ],
)
def test_what_the_thesis_calls_precision_is_recall(right, recalls, accuracy):
    found = summary(known(right, (54, 46, 54)), ("b", "normal", "t"))
    assert [f"{100 * value:.2f}" for value in found["recall"].values()] == list(recalls)
    assert f"{100 * found['accuracy']:.2f}" == accuracy


@pytest.mark.parametrize(
    ("right", "recalls", "accuracy"),
    [
        ((28, 23), ("93.33", "76.67"), "85.00"),
        ((28, 28), ("93.33", "93.33"), "93.33"),
        ((29, 26), ("96.67", "86.67"), "91.67"),
        ((28, 22), ("93.33", "73.33"), "83.33"),
    ],
)
def test_the_second_phase_of_the_thesis_on_30_images_a_class(right, recalls, accuracy):
    found = summary(known(right, (30, 30)), ("all", "healthy"), positive="all")
    assert [f"{100 * value:.2f}" for value in found["recall"].values()] == list(recalls)
    assert f"{100 * found['accuracy']:.2f}" == accuracy
    assert found["sensitivity"] == found["recall"]["all"]
    assert found["specificity"] == found["recall"]["healthy"]


def test_the_keras_accuracy_is_373_of_400():
    assert summary(known((93, 93, 93, 94), (100,) * 4), tuple("abcd"))["accuracy"] == 0.9325


def test_calling_the_atypical_cells_positive_changes_every_binary_figure():
    found = summary(np.array([[2915, 64], [60, 633]]), ("typical", "atypical"), positive="atypical")
    assert (found["sensitivity"], found["specificity"]) == (633 / 693, 2915 / 2979)
    assert found["fn_of_all"] == 60 / 3672


POSITIVE = np.array([True, False, True, False, True])


def test_auc_is_the_share_of_pairs_in_order_ties_counting_half():
    # Of 6 pairs: 0.9 beats both, 0.5 beats 0.2 and ties with 0.5, 0.1 beats none → 3.5.
    scores = np.array([0.9, 0.5, 0.5, 0.2, 0.1])
    assert auc(POSITIVE, scores, np.ones((1, 5))).tolist() == [3.5 / 6]


def test_auc_counts_an_image_as_often_as_its_weight():
    scores = np.array([0.9, 0.5, 0.5, 0.2, 0.1])
    repeated = np.array([0, 0, 1, 3, 3, 3, 4])
    expected = auc(POSITIVE[repeated], scores[repeated], np.ones((1, 7)))
    assert auc(POSITIVE, scores, np.array([[2.0, 1, 0, 3, 1]])) == pytest.approx(expected)


def test_auc_without_one_of_the_classes_is_undefined():
    assert np.isnan(auc(POSITIVE, np.arange(5.0), np.array([[1.0, 0, 1, 0, 1]]))).all()


def test_the_corners_of_a_roc_curve():
    found = roc_curve(POSITIVE, np.array([0.9, 0.5, 0.5, 0.2, 0.1]))
    # One hit; a hit and an alarm at once; an alarm; a hit.
    assert found.true_positive_rate == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1])
    assert found.false_positive_rate == pytest.approx([0, 0, 0.5, 1, 1])


def test_a_roc_curve_has_no_point_on_a_straight_line():
    found = roc_curve(np.array([True, True, False, False]), np.array([4.0, 3, 2, 1]))
    assert found.false_positive_rate.tolist() == [0, 0, 1]
    assert found.true_positive_rate.tolist() == [0, 1, 1]


def test_the_area_under_the_curve_is_the_auc():
    random = np.random.default_rng(0)
    positive, scores = random.random(200) < 0.3, random.integers(0, 20, 200).astype(float)
    found = roc_curve(positive, scores)
    area = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
    assert area == pytest.approx(auc(positive, scores, np.ones((1, 200)))[0], abs=1e-12)


def test_there_is_no_roc_curve_of_one_class():
    assert roc_curve(np.ones(3, bool), np.arange(3.0)) is None
