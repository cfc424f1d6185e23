"""The figure of a comparison: what is in the picture, and what is not in the file."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from figures import texts_fit
from PIL import Image

from allxai_desktop.analyses.figure import DPI, PROGRAM, draw_figure, figure_bytes, save_figure
from allxai_desktop.analyses.grid import Cell, ComparisonChoices, Method
from allxai_desktop.analyses.grid_cells import new_grid
from allxai_desktop.analyses.text import drawable, text_width, wrap
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explanation
from allxai_desktop.i18n import set_language
from allxai_desktop.images import image_from_array
from allxai_desktop.relevance import ClassShare

pytestmark = pytest.mark.slow

LONG = "Extraordinarilylongwordwithoutanyplacetobreakit lymphoblast of the bone marrow"
METHODS = tuple(map(Method, ("gradient", "grad-cam", "lrp-z")))


def card(name):
    return SimpleNamespace(name=name, title=f"Network {name}", class_title=lambda key: LONG)


def made(networks=2, methods=METHODS, labelled=True, shape=(24, 30), **choices):
    pixels = np.full((*shape, 3), 200, np.uint8)
    codes = np.full(shape, 5 if labelled else 0, np.uint8)
    codes[: shape[0] // 2] = 1 if labelled else 0
    cards = [card(str(number)) for number in range(networks)]
    grid = new_grid(
        image_from_array(pixels, "/secret/patient.png"),
        codes,
        cards,
        ComparisonChoices(methods=methods, **choices),
    )
    share = ClassShare(1, 0.5, 1, 0.25, 0.5)
    shares = dict.fromkeys(grid.areas, share) if labelled else {}
    relevance = np.linspace(-1, 1, codes.size, dtype=np.float32).reshape(shape)
    prediction = SimpleNamespace(probabilities={"x": 0.9}, predicted="x")
    explanation = Explanation(relevance, None, "x", 1.0, 0.9, prediction, "gradient", {}, None, 0.1)
    for one in cards:
        for method in methods:
            cell = Cell(one.name, method, explanation, (-1.0, 1.0), shares, None, None)
            grid.cells[one.name, method] = cell
    return grid


def texts(grid, name="cell"):
    return [text.get_text() for text in draw_figure(grid, name).axes[0].texts]


def test_a_map_that_blew_up_is_noted():
    grid = made()
    cell = grid.cells["1", METHODS[2]]
    grid.cells["1", METHODS[2]] = replace(cell, explanation=replace(cell.explanation, conservation=4.4e21))
    assert "⚠ LRP-z, Network 1: The pixels' relevance adds up to 4.4e+21" in " ".join(texts(grid))


def opened(grid):
    return Image.open(io.BytesIO(figure_bytes(grid, "cell", "png")))


def test_the_png_is_a_picture_with_the_resolution_of_print():
    picture = opened(made())
    assert picture.format == "PNG"
    assert picture.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)
    assert np.asarray(picture.convert("L")).std() > 10


@pytest.mark.parametrize(("networks", "rows"), [(1, 1), (3, 6)])
def test_it_fits_the_width_of_a_page(networks, rows):
    names = ("gradient", "abs-gradient", "gradient-x-input", "grad-cam", "lrp-z", "deep-taylor")[:rows]
    width, height = draw_figure(made(networks, tuple(map(Method, names))), "cell").get_size_inches()
    assert width <= 8.27
    assert height <= 11.69 + 0.6


def bounding_boxes(figure):
    """Return the box of each text in pixels, and those of the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()]
    return boxes, figure.bbox


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("shape", [(24, 24), (10, 60), (60, 10)])
@pytest.mark.parametrize("networks", [1, 3])
def test_no_text_is_cut_or_lies_over_another(language, shape, networks):
    set_language(language)
    assert texts_fit(*bounding_boxes(draw_figure(made(networks, shape=shape), LONG)))


def test_head_row_shares_and_purpose_are_written():
    written = texts(made())
    for text in ("Network 0", "Network 1", "Grad-CAM", "LRP-z", "25", "N", "−1"):
        assert text in written
    assert "not a medical device" in " ".join(written)


def test_a_cell_without_a_map_says_why():
    grid = made()
    key = ("0", METHODS[0])
    grid.cells[key] = replace(
        grid.cells[key], explanation=None, extent=None, problem="The logit is negative."
    )
    assert "The logit is negative." in " ".join(texts(grid))


def test_without_a_mask_there_are_no_shares():
    written = texts(made(labelled=False))
    assert "Image" in written
    assert "N" not in written


def test_a_dollar_is_a_dollar():
    assert any("$x_1$" in text for text in texts(made(), "$x_1$"))


def test_the_name_is_the_one_asked_for_and_nothing_tells_the_file():
    grid = made()
    written = " ".join(texts(grid, "Cell 1"))
    assert "Cell 1" in written
    assert "patient" not in written


def test_the_png_names_nothing_but_the_program():
    assert {key: value for key, value in opened(made()).info.items() if key != "dpi"} == {"Software": PROGRAM}


def test_the_pdf_names_nothing_but_the_program():
    data = figure_bytes(made(1, METHODS[:1]), "cell", "pdf")
    assert data.startswith(b"%PDF")
    assert b"/Creator (" + PROGRAM.encode() + b")" in data
    for word in (b"/Producer", b"/Author", b"/Title", b"Date", b"patient", b"secret"):
        assert word not in data


def test_the_ending_says_the_format(tmp_path):
    for name, start in (("a.png", b"\x89PNG"), ("a.PDF", b"%PDF")):
        save_figure(tmp_path / name, made(1, METHODS[:1]), "cell")
        assert (tmp_path / name).read_bytes().startswith(start)


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(AllxaiError, match=r"a\.svg"):
        save_figure(tmp_path / "a.svg", made(), "cell")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_grid_is_refused():
    grid = made()
    grid.cells.clear()
    with pytest.raises(AllxaiError, match="nothing to draw"):
        figure_bytes(grid, "cell", "png")


def test_lines_are_no_wider_than_asked_even_where_a_word_is():
    lines = wrap(LONG, 1.0, 7)
    assert "".join(line.text for line in lines).replace(" ", "") == LONG.replace(" ", "")
    assert all(text_width(line.text, 7) <= 1.0 for line in lines)


def test_a_character_that_the_font_lacks_becomes_a_question_mark():
    assert drawable("célula 中 ✔") == "célula ? ✔"
