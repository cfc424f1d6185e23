"""The preset: what is said of it, and what may differ from it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog

from allxai_desktop.training.presets import PRESETS
from napari_allxai_train.preset_box import FROM_FILE, OPTIMISERS, PresetBox, card_text


class FakeCost:
    changed = Signal()
    parameters: int | None = None
    seconds: float | None = None


@pytest.fixture
def box(setting, qtbot):
    made = PresetBox(setting.model, FakeCost())
    qtbot.addWidget(made)
    made.show()
    return made


def titles(combo):
    return [combo.itemText(row) for row in range(combo.count())]


def choose(combo, value):
    row = [one[0] for one in combo._rows].index(value)
    combo.setCurrentIndex(row)
    combo.activated.emit(row)


def test_all_presets_are_offered_with_their_source(box):
    assert titles(box.preset)[0] == "MobileNet V1, a modern recipe"
    assert box.preset.count() == len(PRESETS)
    assert "32 × 32 pixels, SGD at 0.001, batch 4, 45 epochs" in box.card.text()


def test_every_optimiser_has_a_name():
    assert {preset.plan.optimiser.kind for preset in PRESETS.values()} <= set(OPTIMISERS)


def test_the_card_says_parameters_and_time_once_they_are_known(box):
    cost = box.cost
    cost.parameters, cost.seconds = 61326, 7200.0
    cost.changed.emit()
    assert "61\u00a0326 parameters" in box.card.text()
    assert "takes about 2.0 h here" in box.card.text()


def test_what_a_preset_is_called_is_no_markup():
    preset = SimpleNamespace(source="a <b>", side=8, plan=PRESETS["modern"].plan, departures=("x < y",))
    text = card_text(preset, FakeCost())
    assert "a &lt;b&gt;" in text
    assert "<li>x &lt; y</li>" in text


def test_a_preset_for_other_classes_is_marked_and_says_why(box, ready):
    choose(box.preset, "thesis-1-vgg16")
    assert box.reason.isVisible()
    assert box.reason.text().startswith("This preset tells 3 classes apart, and these images have 2")
    assert box.preset.currentText().endswith("✖")
    choose(box.preset, "two-conv-32")
    assert not box.reason.isVisible()


def test_the_positive_class_is_asked_for_where_there_are_two(box, setting, qtbot):
    assert not box.positive.isVisible()
    setting.model.data.open(setting.images)
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    assert box.positive.isVisible()
    assert (titles(box.positive), box.positive.value) == (["atypical", "typical"], "atypical")
    choose(box.positive, "typical")
    assert setting.model.choices.positive == "typical"


def test_epochs_and_seed_are_chosen_and_another_preset_takes_its_own(box, setting):
    assert box.epochs.text() == "As the preset: 45"
    box.epochs.setValue(3)
    box.seed.setValue(7)
    assert (setting.model.choices.epochs, setting.model.choices.seed) == (3, 7)
    choose(box.preset, "grey-cnn")
    assert (setting.model.choices.epochs, box.epochs.text()) == (None, "As the preset: 40")
    assert box.seed.value() == 7


def test_batch_rate_and_images_never_seen_are_chosen_and_another_preset_takes_its_own(box, setting):
    fields = (box.batch, box.rate, box.unseen)
    assert [field.text() for field in fields] == [
        f"As the preset: {number}" for number in ("4", "0.001", "0")
    ]
    box.batch.setValue(8)
    box.rate.setValue(0.02)
    box.unseen.setValue(0)
    choices = setting.model.choices
    assert (choices.batch, choices.rate, choices.unseen) == (8, 0.02, 0)
    choose(box.preset, "grey-cnn")
    choices = setting.model.choices
    assert (choices.batch, choices.rate, choices.unseen) == (None, None, None)


def test_subjects_to_test_can_be_named_once_subjects_are_known(box, ready):
    assert not box.test_subjects.isVisible()
    ready.model.data.choose(pattern="([0-9])")
    assert box.test_subjects.isVisible()
    box.test_subjects.setText(" 1, 2,")
    box.test_subjects.editingFinished.emit()
    assert ready.model.choices.test_subjects == ("1", "2")


def test_a_run_is_stopped_early_only_where_there_is_a_validation_part(box, setting):
    assert not box.patience.isVisible()
    choose(box.preset, "modern")
    assert (box.patience.isVisible(), box.patience.text()) == (True, "never")
    box.patience.setValue(5)
    assert (setting.model.choices.patience, box.patience.text()) == (5, "5 epochs")


def test_a_second_stage_starts_from_a_network_of_the_program(box, setting):
    choose(box.preset, "unet-nuclei-2")
    assert "My network" in titles(box.weights)
    choose(box.weights, "my-net")
    assert setting.model.choices.weights == "my-net"


def test_weights_come_from_a_file(box, setting, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: ("/some/own.pt", ""))
    choose(box.weights, FROM_FILE)
    assert setting.model.choices.weights == "/some/own.pt"
    assert box.weights.currentText() == "own.pt"


def test_a_cancelled_choice_of_weights_changes_nothing(box, setting, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: ("", ""))
    choose(box.weights, FROM_FILE)
    assert (setting.model.choices.weights, box.weights.value) == (None, None)


def test_copies_before_the_split_are_offered_where_there_are_copies(box, setting):
    assert not box.as_published.isVisible()
    choose(box.preset, "grey-cnn")
    box.as_published.click()
    assert setting.model.choices.as_published


def test_the_folder_is_typed_chosen_or_left_to_the_program(box, setting, tmp_path, monkeypatch):
    box.out.setText(str(tmp_path / "typed"))
    box.out.editingFinished.emit()
    assert setting.model.choices.out == tmp_path / "typed"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path / "chosen"))
    box.browse.click()
    assert (setting.model.choices.out, box.out.text()) == (
        Path(tmp_path / "chosen"),
        str(tmp_path / "chosen"),
    )
    box.out.setText("")
    box.out.editingFinished.emit()
    assert setting.model.choices.out is None


def test_a_folder_of_a_person_who_is_not_known_is_taken_as_it_is_typed(box, setting):
    box.out.setText("~nobody at all/runs")
    box.out.editingFinished.emit()
    assert setting.model.choices.out == Path("~nobody at all/runs")
