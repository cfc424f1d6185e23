"""`allxai compare` as a person or a program runs it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from allxai_desktop import cli
from allxai_desktop.analyses import compare_cli
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explanation
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask

CARDS = [
    SimpleNamespace(name=name, title=name.title(), classes=classes, class_title=str.title)
    for name, classes in (("cells", ("monocyte", "other")), ("disease", ("ill", "well")))
]


class FakeEngine:
    """Relevance 1 in the upper row, 0 below, in all `conservation` of the score; a network without the target fails."""

    conservation = None

    def explain(self, image, network, method, target, progress):
        card = next(card for card in CARDS if card.name == network)
        key = target or card.classes[0]
        if key not in card.classes:
            raise AllxaiError(f"No class {key}.")
        relevance = np.zeros(image.pixels.shape[:2], np.float32)
        relevance[0] = 1
        prediction = SimpleNamespace(probabilities={key: 0.75}, predicted=key)
        settings = dict(method.settings)
        return Explanation(
            relevance, None, key, 1.5, 0.75, prediction, method.name, settings, self.conservation, 0.1
        )

    def warning(self, image, network):
        return "An image from elsewhere." if network == "disease" else None

    def twin(self, network, method):
        return None


@pytest.fixture
def image(tmp_path, monkeypatch):
    monkeypatch.setattr(compare_cli, "list_networks", lambda: CARDS)
    monkeypatch.setattr(compare_cli, "SharedEngine", FakeEngine)
    path = tmp_path / "cell.png"
    Image.new("RGB", (4, 2), "white").save(path)
    codes = np.array([[1, 1, 1, 1], [5, 5, 5, 5]], np.uint8)
    save_mask(tmp_path / "mask.npz", codes, image=read_image(path))
    return path


def run(capsys, image, *arguments):
    """Return exit code, output and error of one call that writes `figure.png`."""
    try:
        code = cli.main(["compare", str(image), "--out", str(image.parent / "figure.png"), *arguments])
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


def test_json_tells_every_cell(capsys, image):
    mask = str(image.parent / "mask.npz")
    arguments = (
        "--explainers",
        "grad-cam:recipe=matlab,gradient",
        "--rule",
        "mean",
        "--json",
        "--mask",
        mask,
    )
    code, out, err = run(capsys, image, *arguments)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [(cell["network"], cell["explainer"], cell["settings"]) for cell in told["cells"]] == [
        ("cells", "grad-cam", {"recipe": "matlab"}),
        ("cells", "gradient", {}),
        ("disease", "grad-cam", {"recipe": "matlab"}),
        ("disease", "gradient", {}),
    ]
    first = told["cells"][0]
    assert (first["target"], first["logit"], first["problem"]) == ("monocyte", 1.5, None)
    assert first["shares"]["nucleus"]["relevant_share"] == 1.0
    assert told["domain_warnings"] == {"cells": None, "disease": "An image from elsewhere."}


def test_the_figure_is_written(capsys, image):
    run(capsys, image, "--networks", "cells", "--explainers", "gradient")
    with Image.open(image.parent / "figure.png") as figure:
        assert figure.format == "PNG"
        assert figure.width > 600


def test_people_read_shares_and_sentences(capsys, image):
    mask = str(image.parent / "mask.npz")
    arguments = ("--explainers", "gradient", "--rule", "mean", "--mask", mask, "--target", "ill")
    code, out, _err = run(capsys, image, *arguments)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Note: Disease: An image from elsewhere."
    assert lines[2].split() == ["Gradient", "No", "class", "ill."]
    assert lines[3:5] == ["Disease sees:", "   75.0 %  Ill"]
    assert " ".join(lines[5].split()) == "Gradient N 100.0 % C 0.0 % V 0.0 % R 0.0 % B 0.0 %"


def test_a_map_that_blew_up_is_told_of(capsys, image, monkeypatch):
    monkeypatch.setattr(FakeEngine, "conservation", 4.4e21)
    _code, out, _err = run(capsys, image, "--networks", "cells", "--explainers", "lrp-z")
    assert "Note: LRP-z, Cells: The pixels' relevance adds up to 4.4e+21 of the score" in out
    _code, out, _err = run(capsys, image, "--networks", "cells", "--explainers", "lrp-z", "--json")
    assert "4.4e+21 of the score" in json.loads(out)["cells"][0]["map_warning"]


def test_the_figure_is_not_written_over_the_image(capsys, image):
    before = image.read_bytes()
    code, _out, err = run(capsys, image, "--out", str(image))
    assert (code, err) == (2, f"{image.name} is one of the images or their masks: choose another name.\n")
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--networks", "cells,tea"), "“tea”"),
        (("--networks", ","), "at least one name"),
        (("--explainers", "tea-leaves"), "tea-leaves"),
        (("--explainers", "grad-cam:recipe"), "recipe"),
        (("--target", "horse"), "“horse”"),
        (("--rule", "best"), "best"),
        (("--colormap", "viridis"), "viridis"),
        (("--out", "figure.svg"), "figure.svg"),
        (("--networks", "cells", "--target", "ill"), "“ill”"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_file(capsys, image, arguments, word):
    code, out, err = run(capsys, image, *arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert len(err.splitlines()) == 1
    assert not (image.parent / "figure.png").exists()
