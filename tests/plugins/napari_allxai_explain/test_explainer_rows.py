from allxai_desktop.explainers.registry import EXPLAINERS
from napari_allxai_explain.explainer_rows import explainer_rows
from napari_allxai_widgets.choice_box import HEADING, ChoiceBox


def test_explainers_on_demand_come_last_under_a_heading_that_is_no_choice(qtbot):
    rows = explainer_rows()
    values = [value for value, _title, _tip in rows]
    heading = values.index(HEADING)
    assert all(not EXPLAINERS[value[0]].on_demand for value in values[:heading])
    assert all(EXPLAINERS[value[0]].on_demand for value in values[heading + 1 :])
    assert ("grad-cam", (("recipe", "matlab"),)) in values[:heading]
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.fill(rows, ("lime", ()))
    assert not box.model().item(heading).isEnabled()
    assert box.model().item(heading + 1).isEnabled()
