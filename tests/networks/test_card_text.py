from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.card_text import card_lines
from allxai_desktop.networks.registry import network_card

CARD = {
    "name": "tiny",
    "title": {"en": "Tiny", "es": "Diminuta"},
    "architecture": "five-conv-grey",
    "classes": ["ill", "well"],
    "class_titles": {"en": ["Ill", "Well"], "es": ["Enferma", "Sana"]},
    "input_size": [94, 96],
    "mean": [0.5],
    "std": [0.25],
    "preprocessing": "sharpened",
    "cam_layer": None,
    "sha256": "0" * 64,
    "licence": "none",
    "domain": {"description": {"en": "a smear", "es": "un frotis"}, "limits": {}},
    "data": {"images": 7, "classes": {"ill": 3, "well": 4}},
    "split": {},
    "training": {"optimiser": {"rate": 0.0001}, "held_out": ["a", "b"]},
    "metrics": {
        "test": {
            "images": 7,
            "positive_class": "ill",
            "accuracy": 0.857,
            "estimates": {
                "overall": {"accuracy": {"value": 0.8571, "low": 0.5, "high": 1.0}},
                "by_class": {"ill": {"recall": {"value": 1.0}}, "well": {"recall": {"value": 0.25}}},
            },
        },
        "validation": {"images": 2, "accuracy": 0.5},
    },
    "departures_from_paper": ["no dropout"],
}


def test_a_card_is_shown_line_by_line():
    assert card_lines(parse_card(CARD)) == [
        "Tiny",
        "  name: tiny",
        "  architecture: five-conv-grey",
        "  input: 94×96, mean 0.5, deviation 0.25",
        "  preprocessing: sharpened",
        "  classes: Ill, Well",
        "  images: a smear",
        "  licence: none",
        "Data",
        "  images: 7",
        "  classes:",
        "    ill: 3",
        "    well: 4",
        "Training",
        "  optimiser:",
        "    rate: 0.0001",
        "  held out: a, b",
        "Measured: test",
        "  positive class: ill",
        "  images: 7",
        "  accuracy: 0.8571 (0.5000–1.0000)",
        "  sensitivity: 1.0000",
        "Measured: validation",
        "  images: 2",
        "  accuracy: 0.5000",
        "Departures from the source",
        "  no dropout",
    ]


def test_the_card_of_a_network_of_the_program():
    lines = card_lines(network_card("cnmc-mobilenet-v1"))
    assert "  sensitivity: 0.7760" in lines
    assert not any("near black" in line for line in lines)


def test_what_draws_is_shown_with_the_overlap_of_each_class():
    dice = {"value": 0.75, "low": 0.5, "high": 0.9}
    estimates = {
        "overall": {"pixel_accuracy_pooled": {"value": 0.96}},
        "by_class": {"well": {"dice_pooled": dice, "iou_mean": {"value": 0.6}}},
    }
    lines = card_lines(parse_card(CARD | {"metrics": {"test": {"images": 6, "estimates": estimates}}}))
    start = lines.index("Measured: test")
    assert lines[start + 1 : start + 5] == [
        "  images: 6",
        "  pixel accuracy pooled: 0.9600",
        "  well, dice pooled: 0.7500 (0.5000–0.9000)",
        "  well, iou mean: 0.6000",
    ]
