import json
from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.files import WriteError
from allxai_desktop.i18n import set_language
from allxai_desktop.training.measuring.evaluation import Answers, evaluate
from allxai_desktop.training.measuring.metrics import summary
from allxai_desktop.training.measuring.read_report import read_report
from allxai_desktop.training.measuring.report import (
    JSON_FILE,
    MISTAKES_ON_PAGE,
    PAGE_FILE,
    Part,
    Setting,
    card_metrics,
    figure_lines,
    to_json,
    to_markdown,
    write_report,
)
from allxai_desktop.training.measuring.segmentation_metrics import evaluate_segmentation

SETTING = Setting(
    network="cnmc-demo",
    data="C-NMC 2019, 640 images",
    split="by subject",
    parts={"train": Part(8, 2), "validation": Part(4, 2), "test": Part(12, 3)},
    group_kind="subject",
    caution="Two healthy subjects.",
    class_titles={"en": {"all": "Leukaemia", "hem": "Healthy"}, "es": {"all": "Leucemia"}},
)


def evaluated(images=12, groups=("S1", "S2", "H1")):
    """Return figures of images of which every fourth is wrong and all are 88 % sure."""
    truth = np.arange(images) % 2
    predicted = np.where(np.arange(images) % 4 == 3, 1 - truth, truth)
    files = tuple(f"{'all' if t == 0 else 'hem'}/{number}.png" for number, t in enumerate(truth))
    its = tuple(groups[number % len(groups)] for number in range(images)) if groups else None
    answers = Answers(2.0 * np.eye(2)[predicted], truth, files, its)
    return evaluate(answers, ("all", "hem"), "all", answers)


def test_the_json_says_what_was_evaluated():
    found = json.loads(to_json(evaluated(), SETTING))
    assert found["network"] == "cnmc-demo"
    assert found["split"]["parts"]["test"] == {"images": 12, "groups": 3}
    assert (found["evaluated"], found["leaking"], found["positive_class"]) == ("test", False, "all")
    assert (found["images"], found["groups"]) == (12, 3)
    assert found["interval"]["method"].endswith("over groups")
    assert found["interval"]["seed"] == 0


def test_classes_are_called_in_the_language_of_the_reader(tmp_path):
    text = to_json(evaluated(), SETTING)
    (tmp_path / JSON_FILE).write_text(text, encoding="utf-8")
    report = read_report(tmp_path / JSON_FILE)
    assert [report.class_title(name) for name in report.classes] == ["Leukaemia", "Healthy"]
    set_language("es")
    assert to_json(evaluated(), SETTING) == text
    # What has no name in a language is called as in the data.
    assert [report.class_title(name) for name in report.classes] == ["Leucemia", "hem"]


def test_the_json_holds_figures_and_why_one_has_no_interval():
    estimates = json.loads(to_json(evaluated(), SETTING))["estimates"]
    assert estimates["overall"]["accuracy"] == {"value": 0.75, "reason": "few-groups"}
    assert estimates["by_class"]["all"]["recall"] == {"value": 1.0, "reason": "few-groups"}
    # Each image is its own group here.
    alone = json.loads(to_json(evaluated(40, groups=()), SETTING))["estimates"]["overall"]["accuracy"]
    assert alone["low"] < 0.75 < alone["high"]


def test_the_json_lists_every_misclassified_image():
    found = json.loads(to_json(evaluated(), SETTING))["misclassified"]
    assert [mistake["file"] for mistake in found] == ["hem/11.png", "hem/3.png", "hem/7.png"]
    assert found[0] == {
        "file": "hem/11.png",
        "true": "hem",
        "predicted": "all",
        "probability": pytest.approx(1 / (1 + np.exp(-2))),
    }


def test_the_json_has_no_number_that_is_none():
    answers = Answers(np.eye(3)[[0, 1, 0]], np.array([0, 1, 1]), tuple("xyz"))
    text = to_json(evaluate(answers, ("a", "b", "c")), SETTING)
    found = json.loads(text)
    assert "NaN" not in text
    assert found["roc"]["c"] is None
    assert found["calibration"]["as_trained"]["accuracy"][0] is None
    assert found["estimates"]["by_class"]["c"]["recall"] == {"value": None, "reason": "undefined"}


def test_the_page_has_the_figures_of_the_positive_class():
    page = to_markdown(evaluated(), SETTING)
    assert page.startswith("# cnmc-demo · Test\n")
    assert "- Positive class: Leukaemia" in page
    assert "| Sensitivity | 100.0 %¹ |" in page
    assert "| Specificity | 50.0 %¹ |" in page
    assert "| % FN of all | 0.0 %¹ |" in page
    assert "No interval: there are fewer than 5 groups." in page
    assert "¹ No interval: a class comes from fewer than 5 groups (subjects, or images" in page
    assert "| Test | 12 | 3 |" in page
    assert "| Healthy | 3 | 3 |" in page
    assert "| S1 | 4 | 75.0 % |" in page
    assert "> Two healthy subjects." in page
    assert "| hem/11.png | Healthy | Leukaemia | 88.1 % |" in page
    assert "LEAKING" not in page


def test_a_page_names_the_classes_that_its_part_lacks():
    answers = Answers(np.eye(2)[[0, 1]], np.array([0, 0]), ("x", "y"))
    page = to_markdown(evaluate(answers, ("all", "hem"), "all"), SETTING)
    assert "> The part “Test” has no image of the class Healthy, and says nothing about it." in page


def test_what_groups_are_is_english_in_the_json_and_translated_on_the_page():
    set_language("es")
    assert "Grupos (sujeto)" in to_markdown(evaluated(), SETTING)
    assert json.loads(to_json(evaluated(), SETTING))["split"]["group"] == "subject"


def test_a_page_shows_the_surest_mistakes_and_counts_all():
    page = to_markdown(evaluated(4 * MISTAKES_ON_PAGE + 4), SETTING)
    assert f"Misclassified images: {MISTAKES_ON_PAGE + 1}" in page
    assert page.count("| hem/") == MISTAKES_ON_PAGE
    assert JSON_FILE in page


def test_leaking_figures_are_marked():
    setting = Setting("n", "d", "as published", {"test": Part(12)}, leaking=True)
    assert "**LEAKING" in to_markdown(evaluated(), setting)
    assert json.loads(to_json(evaluated(), setting))["leaking"] is True


def test_a_strange_name_stays_in_its_cell():
    answers = Answers(np.eye(2)[[1]], np.array([0]), ("a|b\n# <img src=x>.png",))
    page = to_markdown(evaluate(answers, ("x", "y"), "x"), SETTING)
    assert "| a\\|b # \\<img src=x>.png |" in page


def test_segmentation_is_reported_with_both_kinds_of_dice():
    found = evaluate_segmentation([np.array([[90, 2], [2, 6]])] * 6, ("background", "nucleus"))
    page = to_markdown(found, SETTING)
    assert "Dice, all pixels | Dice, mean over images" in page
    assert "Positive class" not in page
    kept = json.loads(to_json(found, SETTING))
    assert kept["estimates"]["by_class"]["nucleus"]["dice_pooled"]["value"] == 0.75
    assert kept["confusion"]["unit"] == "pixels"
    assert "misclassified" not in kept


def test_a_card_keeps_the_figures_and_pixels_of_a_segmentation():
    found = evaluate_segmentation([np.array([[90, 2], [2, 6]])] * 6, ("background", "nucleus"))
    kept = card_metrics(found)
    assert (kept["images"], kept["groups"]) == (6, None)
    assert kept["pixel_confusion_rows_true"] == [[540, 12], [12, 36]]
    assert kept["estimates"]["overall"]["pixel_accuracy_pooled"]["value"] == 0.96
    assert kept["estimates"]["by_class"]["nucleus"]["iou_mean"]["value"] == 0.6


def test_the_lines_of_a_segmentation_have_every_class_and_say_where_there_is_no_interval():
    matrices = [np.array([[90, 2], [2, 6]]), np.array([[90, 0], [0, 10]])] * 3
    titles = {"en": {"nucleus": "Nucleus"}, "es": {"nucleus": "Núcleo"}}
    lines = figure_lines(evaluate_segmentation(matrices, ("background", "nucleus")), titles)
    assert [line for line in lines if line.startswith("Dice, all pixels, Nucleus: 88.9\u00a0% (")]
    assert len(lines) == 2 + 2 * 4 + 1
    assert lines[-1] == "In brackets: 95 % interval, bootstrap over 6 images."
    alone = figure_lines(evaluate_segmentation(matrices[:1], ("background", "nucleus")), {})
    assert alone[0] == "Pixel accuracy, all pixels: 96.0\u00a0%"
    assert alone[-1] == "No interval: there are fewer than 5 images."


def test_a_report_is_written_beside_its_pictures(tmp_path):
    write_report(tmp_path / "result", evaluated(), SETTING)
    names = {path.name for path in (tmp_path / "result").iterdir()}
    pictures = {f"{name}.{kind}" for name in ("confusion", "roc", "reliability") for kind in ("png", "pdf")}
    assert names == {JSON_FILE, PAGE_FILE} | pictures
    assert json.loads((tmp_path / "result" / JSON_FILE).read_text(encoding="utf-8"))["format"] == 1
    read = read_report(tmp_path / "result" / JSON_FILE)
    assert (read.mistakes, read.overall) == (evaluated().mistakes, evaluated().overall)


def test_a_folder_that_is_a_file_is_named(tmp_path):
    Path(tmp_path / "result").write_text("")
    with pytest.raises(WriteError, match=r"evaluation\.json"):
        write_report(tmp_path / "result", evaluated(), SETTING)


def test_a_card_keeps_the_summary_and_the_intervals():
    evaluation = evaluated(40, groups=())
    found = card_metrics(evaluation)
    for key, value in summary(evaluation.confusion, ("all", "hem"), "all").items():
        assert found[key] == value
    assert found["estimates"]["overall"]["accuracy"]["value"] == found["accuracy"]
    assert found["temperature"] == evaluation.temperature
    json.dumps(found, allow_nan=False)
