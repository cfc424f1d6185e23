"""The explain panel's own choices; its model is an ordinary session."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtWidgets import QMainWindow

from allxai_desktop.app.theme import stylesheet
from allxai_desktop.images import image_from_array
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from napari_allxai_explain.panel import ExplainPanel
from napari_allxai_explain.view import ExplainView
from napari_allxai_widgets.dispatch import Dispatcher

REASON = "The two formulas are equal."


class FakeEngine:
    """Sees basophils, without a map, whose relevance adds up to `conservation` of the score."""

    conservation = None

    def explain(self, _image, _choices, _progress):
        prediction = SimpleNamespace(probabilities={"basophil": 1.0}, predicted="basophil")
        found = SimpleNamespace(
            relevance=None,
            undefined="No map.",
            target="basophil",
            prediction=prediction,
            seconds=0.1,
            explainer="lrp-z",
            logit=9.0,
            conservation=self.conservation,
        )
        return found, None


@pytest.fixture
def panel(qtbot):
    session = Session(PaintModel(np.zeros((2, 2), np.uint8)), FakeEngine(), Dispatcher())
    made = ExplainPanel(session, ExplainView(), list_networks())
    qtbot.addWidget(made)
    yield made
    made.disconnect_session()
    session.close()


def titles(panel):
    return [panel.explainer.itemText(row) for row in range(panel.explainer.count())]


def test_explainers_that_are_two_have_a_row_each(panel):
    panel.session.choose(explainer="lrp-z")
    assert {"LRP-z", "Gradient × Input"} <= set(titles(panel))


def test_explainers_that_are_one_by_theory_share_a_row_that_says_why(panel):
    panel.session.choose(explainer="lrp-z")
    panel.show_twin(REASON)
    assert panel.explainer.currentText() == "LRP-z = Gradient × Input"
    assert not {"LRP-z", "Gradient × Input"} & set(titles(panel))
    assert panel.explainer.itemData(panel.explainer.currentIndex(), 3) == REASON


def test_the_shared_row_is_the_explainer_that_was_chosen(panel):
    panel.session.choose(explainer="gradient-x-input")
    panel.show_twin(REASON)
    assert panel.explainer.value == ("gradient-x-input", ())


def test_a_variant_of_lrp_z_keeps_the_rows_apart(panel):
    panel.session.choose(explainer="lrp-z", settings=(("rules", "innvestigate"),))
    panel.show_twin(REASON)
    assert {"LRP-z", "Gradient × Input"} <= set(titles(panel))


def test_another_network_parts_them_again(panel):
    panel.session.choose(explainer="lrp-z")
    panel.show_twin(REASON)
    panel.show_twin(None)
    assert {"LRP-z", "Gradient × Input"} <= set(titles(panel))


@pytest.mark.parametrize(("box", "name"), [("map", "map_visible"), ("outline", "outline_visible")])
def test_what_is_shown_is_one_state_with_its_box(panel, box, name):
    control = getattr(panel, box)
    assert control.isChecked()
    control.click()
    assert getattr(panel.view, name) is False
    setattr(panel.view, name, True)
    assert control.isChecked()


def test_the_box_of_the_map_says_its_key(panel):
    assert panel.map.text() == "Map"
    assert panel.map.toolTip() == "Show or hide the relevance map (M)"


def test_a_network_that_is_added_is_offered_and_the_chosen_one_stays(panel):
    panel.session.choose(network=list_networks()[0].name)
    chosen = panel.network.currentText()
    added = replace(list_networks()[0], name="mine", titles={"en": "Mine"})
    panel.set_networks([*list_networks(), added])
    assert panel.network.itemText(panel.network.count() - 1) == "Mine"
    assert panel.network.currentText() == chosen


def test_in_place_of_a_network_that_is_removed_the_first_is_chosen(panel):
    first, second = list_networks()[:2]
    panel.session.choose(network=second.name)
    panel.set_networks([first])
    assert panel.session.choices.network == first.name
    assert panel.network.count() == 1
    assert panel.network.currentText() == first.title


def test_the_longest_class_has_room_beside_a_short_explainer(panel):
    panel.session.choose(network="pbc-mobilenet-v1")
    panel.resize(385, 600)
    panel.show()
    card = panel.cards["pbc-mobilenet-v1"]
    longest = max(panel.target.width_for(f"Predicted: {card.class_title(key)}") for key in card.classes)
    assert longest > panel.width() // 2
    assert panel.target.width() >= longest
    assert panel.explainer.width() >= panel.explainer.width_for("Grad-CAM")


def test_before_there_is_a_result_the_explainer_is_read_whole(panel, qtbot):
    panel.session.choose(network="pbc-mobilenet-v1")
    frame = QMainWindow()
    qtbot.addWidget(frame)
    frame.setStyleSheet(stylesheet("dark"))
    frame.setCentralWidget(panel)
    frame.setFixedWidth(385)
    with qtbot.waitExposed(frame):
        frame.show()
    qtbot.wait(20)
    widths = panel.explainer.width(), panel.explainer.width_for(panel.explainer.currentText())
    frame.takeCentralWidget()
    assert widths[0] >= widths[1]


def test_with_live_off_it_says_that_the_answer_is_to_other_choices(panel, qtbot):
    panel.session.choose(network="pbc-mobilenet-v1")
    panel.session.set_image(image_from_array(np.full((2, 2, 3), 200, np.uint8), "cell.png"))
    qtbot.waitUntil(lambda: panel.session.result is not None)
    panel.live.click()
    assert panel.message.text() == "No map."
    panel.session.choose(network="cnmc-mobilenet-v1")
    assert panel.message.text().startswith("Live is off")
    assert not panel.message.isHidden()
    panel.session.choose(network="pbc-mobilenet-v1")
    assert panel.message.text() == "No map."


@pytest.mark.parametrize(("ratio", "hidden"), [(-0.8, True), (4.4e21, False)])
def test_a_map_that_blew_up_is_not_shown_without_a_word(panel, qtbot, monkeypatch, ratio, hidden):
    monkeypatch.setattr(FakeEngine, "conservation", ratio)
    panel.session.choose(network="pbc-mobilenet-v1")
    panel.session.set_image(image_from_array(np.full((2, 2, 3), 200, np.uint8), "cell.png"))
    qtbot.waitUntil(lambda: panel.session.result is not None)
    assert panel.warning.isHidden() == hidden
    assert hidden or "adds up to 4.4e+21 of the score" in panel.warning.text()


def test_with_live_off_an_image_without_an_answer_says_how_to_get_one(panel):
    panel.live.click()
    panel.session.choose(network="pbc-mobilenet-v1")
    panel.session.set_image(image_from_array(np.full((2, 2, 3), 200, np.uint8), "cell.png"))
    assert panel.message.text() == "Live is off: switch it on to explain this image."
