import pytest

from allxai_desktop.analyses.regions import RegionShapley
from allxai_desktop.analyses.regions_words import conclusion, conditions, signed, sum_line, table


def made(values, removed=0.5, fill="background", unlabelled=0.0):
    total = sum(values.values())
    return RegionShapley(values, "blast", "blast", removed + total, removed, fill, "net", unlabelled, 0.1)


@pytest.mark.parametrize(
    ("value", "text"), [(1.234, "+1.23"), (-0.5, "−0.50"), (0.0, "0.00"), (-0.004, "0.00"), (0.004, "0.00")]
)
def test_numbers_have_a_sign_unless_they_round_to_zero(value, text):
    assert signed(value) == text


def test_the_region_that_speaks_most_for_the_class_is_named():
    text = conclusion(made({"nucleus": 0.1, "rbc": 2.0}), "Blast")
    assert text == "On average, taking the red blood cells out lowers the score of “Blast” the most."


@pytest.mark.parametrize("values", [(-0.1, -2.0), (0.0, 0.004)])
def test_where_no_region_speaks_for_the_class_that_is_said(values):
    assert conclusion(made(dict(zip(("nucleus", "rbc"), values, strict=True))), "Blast").startswith(
        "No region speaks for “Blast”"
    )


def test_the_sum_is_the_difference_of_the_two_logits():
    assert sum_line(made({"nucleus": 2.0, "rbc": -0.5}, removed=-1.0), "Blast") == (
        "Blast: sum +1.50 = 0.50 (logit of the image) − (−1.00) (logit with everything removed)"
    )


def test_the_fill_is_named_and_what_was_never_removed():
    assert conditions(made({"nucleus": 1.0})) == "Filled with: local background"
    assert conditions(made({"nucleus": 1.0}, fill="surroundings", unlabelled=0.25)) == (
        "Filled with: unlabelled surroundings · 25.0 % unlabelled, left in place"
    )


def test_the_table_has_a_row_for_each_region():
    rows = table(made({"nucleus": 2.0, "background": -0.5}), "Blast")
    assert rows[1:3] == ["  Nucleus       +2.00", "  Background    −0.50"]
