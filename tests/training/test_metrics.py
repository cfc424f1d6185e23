import numpy as np
import pytest

from allxai_desktop.training.metrics import confusion_matrix, summary


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
