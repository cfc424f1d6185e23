import csv
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from allxai_desktop import i18n
from allxai_desktop.agreement import words
from allxai_desktop.agreement.gathering import measure_study
from allxai_desktop.agreement.plan import SecondPlan, second_path
from allxai_desktop.agreement.report import as_json, lines, page, write_report
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.training.measuring.intervals import Estimate


@pytest.fixture
def compared(study):
    """Six images, of which A02 has annotated two: one as A01 did, one moved down by a pixel."""
    SecondPlan(study).start("A02", 1, 0)
    for number, item in enumerate(study.items[:2]):
        codes = np.roll(load_mask(item.mask_path).codes, number, axis=0)
        save_mask(second_path(study, item, "A02"), codes, image=read_image(item.image_path))
    return measure_study(study)


def test_the_terminal_shows_the_figures_of_each_class(compared):
    shown = lines(compared)
    assert shown[:3] == [
        "A01 – A02",
        "2 images; 100.0\N{NO-BREAK SPACE}% of the pixels are labelled in both masks",
        # Of 48 pixels 42 alike; by chance (12·12 + 36·36) / 48² = 0.625.
        "κ over the five classes: 0.667 · same class: 87.5\N{NO-BREAK SPACE}% of the pixels",
    ]
    assert shown[3].split("  ")[0] == "Class"
    nucleus = next(line for line in shown if line.startswith("Nucleus"))
    assert nucleus.split("  ")[-1].strip() == "0.50"
    assert "75.0" in nucleus
    vacuole = next(line for line in shown if line.startswith("Vacuole"))
    assert vacuole.split()[1:] == ["–"] * 5
    assert shown[-1] == "No interval: there are fewer than 5 images."


def test_the_table_has_a_row_for_each_class_of_each_image(compared, tmp_path):
    assert write_report(tmp_path / "out", compared, "Study") == [
        "agreement.csv",
        "agreement.json",
        "agreement.html",
    ]
    with (tmp_path / "out" / "agreement.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * (1 + 5)
    moved = next(row for row in rows if (row["image"], row["class"]) == ("cell_2.png", "nucleus"))
    assert (moved["first"], moved["second"], moved["dice"], moved["unit"]) == ("A01", "A02", "0.5", "px")
    absent = next(row for row in rows if row["class"] == "vacuole")
    assert [absent[name] for name in ("dice", "iou", "kappa", "distance", "hausdorff95")] == [""] * 5


def test_json_holds_every_figure_with_its_reason(compared):
    found = json.loads(json.dumps(as_json(compared), allow_nan=False))
    (one,) = found["comparisons"]
    assert one["of_class"]["nucleus"]["dice_pooled"] == {"value": 0.75, "reason": "few-groups"}
    assert one["of_class"]["vacuole"]["dice_pooled"] == {"value": None, "reason": "undefined"}
    assert one["confusion"]["counts"][0] == [9, 0, 0, 0, 3]
    assert [image["kappa"] for image in one["by_image"]] == [1, pytest.approx(1 / 3)]


class Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append(data)


def test_the_page_is_to_be_read_and_lists_what_agrees_least_first(compared):
    made = page(compared, "A <study>")
    parser = Texts()
    parser.feed(made)
    assert "Agreement: A <study>" in parser.found
    images = [text for text in parser.found if text.startswith("cell_")]
    assert images == ["cell_2.png", "cell_1.png"]


def test_nothing_written_tells_a_path(compared, study, tmp_path):
    write_report(tmp_path / "out", compared, "Study")
    for path in (tmp_path / "out").iterdir():
        assert str(study.folder.parent) not in path.read_text("utf-8")


def test_numbers_with_their_interval():
    assert (
        words.estimate_text("dice_pooled", Estimate(0.5, 0.25, 0.75)) == "50.0\N{NO-BREAK SPACE}% (25.0–75.0)"
    )
    assert words.estimate_text("kappa_pooled", Estimate(-0.5)) == "−0.500"
    assert words.estimate_text("distance_pooled", Estimate(1.234, 1, 2)) == "1.23 (1.00–2.00)"
    assert words.estimate_text("distance_pooled", Estimate(None)) == "–"


def test_the_page_names_its_language(compared):
    i18n.set_language("es")
    assert page(compared, "x").startswith('<!DOCTYPE html>\n<html lang="es">')
