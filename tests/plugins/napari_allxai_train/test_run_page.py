"""The page of a run: curves, how far it is, how it ended."""

import pytest

from napari_allxai_train.run_page import RunPage, state_text


@pytest.fixture
def page(ready, qtbot):
    made = RunPage(ready.model)
    qtbot.addWidget(made)
    made.show()
    return made


def test_before_a_run_it_says_what_to_do(page):
    assert page.empty.isVisible()
    assert not page.curves.isVisible()


def test_a_stage_and_then_the_epoch_are_named(page, ready, qtbot):
    ready.trainer.gate.clear()
    seen = []
    ready.model.run_changed.connect(lambda: seen.append(page.state.text()))
    ready.model.start()
    qtbot.waitUntil(lambda: len(ready.model.records) == 1)
    assert "Reading the images" in seen
    qtbot.waitUntil(lambda: page.state.text().startswith("Epoch 2 of 2 · about "))
    assert (page.progress.value(), page.progress.isVisible()) == (500, True)
    assert [page.notes.item(row).text() for row in range(page.notes.count())] == ["A note."]


def test_a_finished_run_says_so(page, ready, qtbot):
    ready.model.start()
    qtbot.waitUntil(lambda: not ready.model.running)
    assert page.state.text() == "Finished after epoch 2."
    assert not page.error.isVisible()
    assert not page.progress.isVisible()


def test_a_run_that_failed_says_why_in_its_sentence(page, ready, qtbot):
    ready.trainer.error = "The loss is no number: lower the learning rate."
    ready.model.start()
    qtbot.waitUntil(lambda: not ready.model.running)
    assert page.error.text() == "The loss is no number: lower the learning rate."
    assert state_text(ready.model) == "Ended after epoch 1."


def test_the_notes_of_another_run_go(page, ready, qtbot):
    for _run in range(2):
        ready.model.start()
        qtbot.waitUntil(lambda: not ready.model.running)
    assert page.notes.count() == 1
