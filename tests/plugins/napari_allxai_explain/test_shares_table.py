import pytest
from qtpy.QtCore import Qt

from allxai_desktop.relevance import ClassShare
from napari_allxai_explain.shares_table import AREA, ENRICHMENT, RELEVANCE, SQUARE_UM, SharesTable

SHARES = {
    "nucleus": ClassShare(100, 0.25, 30, 0.75, 3.0),
    "cytoplasm": ClassShare(300, 0.75, 10, 0.25, 1 / 3),
    "vacuole": ClassShare(0, 0.0, 0, 0.0, None),
    "rbc": ClassShare(0, 0.0, None, None, None),
    "background": ClassShare(0, 0.0, 0, 0.0, None),
}


@pytest.fixture
def table(qtbot):
    made = SharesTable()
    qtbot.addWidget(made)
    made.shares.set_shares(SHARES)
    return made


def text(table, row, column):
    return table.shares.data(table.shares.index(row, column))


def test_a_row_shows_area_relevance_and_enrichment(table):
    assert [text(table, 0, column) for column in (AREA, RELEVANCE, ENRICHMENT)] == [
        "25.0 %",
        "75.0 %",
        "×3.00",
    ]


def test_what_has_no_value_is_a_dash(table):
    assert text(table, 2, ENRICHMENT) == "–"
    assert text(table, 3, RELEVANCE) == "–"


def test_areas_in_square_micrometres_are_shown_where_the_pixel_size_is_known(table):
    assert table.isColumnHidden(SQUARE_UM)
    table.set_pixel_size(0.1)
    assert not table.isColumnHidden(SQUARE_UM)
    assert text(table, 1, SQUARE_UM) == "3.0"


def test_the_tip_counts_pixels(table):
    tip = table.shares.data(table.shares.index(0, AREA), Qt.ItemDataRole.ToolTipRole)
    assert tip == "Nucleus: 100 pixels, 30 of them relevant"


def test_the_table_is_copied_as_text_for_a_spreadsheet(table):
    lines = table.shares.as_text().splitlines()
    assert lines[0].split("\t") == ["Class", "Area", "µm²", "Relevance", "×"]
    assert lines[1].split("\t") == ["Nucleus", "25.0 %", "–", "75.0 %", "×3.00"]


def test_without_an_image_every_number_is_a_dash(table):
    table.shares.set_shares({})
    assert text(table, 0, AREA) == "–"
