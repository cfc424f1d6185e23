"""Long work: progress, result, failure, and being cancelled."""

import threading

import pytest

from allxai_desktop.errors import AllxaiError
from allxai_desktop.tasks import TaskRunner, time_estimate


@pytest.fixture
def told():
    """A runner, what it told, and an event that is set at the end of each piece of work."""
    runner, events, ended = TaskRunner(), [], threading.Event()
    runner.progressed.connect(lambda share: events.append(("progress", share)))
    runner.finished.connect(lambda result: (events.append(("finished", result)), ended.set()))
    runner.failed.connect(lambda message: (events.append(("failed", message)), ended.set()))
    yield runner, events, ended
    runner.close()


def test_progress_and_result_arrive_in_order(told):
    runner, events, ended = told

    def work(progress):
        progress(0.5)
        return 7

    runner.start(work)
    assert ended.wait(10)
    assert events == [("progress", 0.0), ("progress", 0.5), ("finished", 7)]
    assert not runner.running


def test_a_known_error_arrives_as_its_sentence(told):
    runner, events, ended = told

    def work(_progress):
        raise AllxaiError("Choose another class.")

    runner.start(work)
    assert ended.wait(10)
    assert events[-1] == ("failed", "Choose another class.")


def test_any_other_error_is_logged_and_said_in_general(told, caplog):
    runner, events, ended = told
    runner.start(lambda _progress: 1 / 0)
    assert ended.wait(10)
    assert events[-1][1].startswith("The computation failed")
    assert "ZeroDivisionError" in caplog.text


def test_what_was_not_foreseen_is_said_in_the_words_of_the_task():
    said, ended = [], threading.Event()
    runner = TaskRunner(failure="The training failed.")
    runner.failed.connect(lambda message: (said.append(message), ended.set()))
    runner.start(lambda _progress: 1 / 0)
    assert ended.wait(10)
    assert said == ["The training failed."]
    runner.close()


def test_cancelled_work_stops_at_its_next_progress_and_tells_nothing(told):
    runner, events, _ended = told
    started, go, stopped = threading.Event(), threading.Event(), threading.Event()

    def work(progress):
        started.set()
        go.wait(10)
        try:
            progress(0.5)
        finally:
            stopped.set()
        return "too late"

    runner.start(work)
    assert started.wait(10)
    runner.cancel()
    assert not runner.running
    go.set()
    assert stopped.wait(10)
    runner.close()
    assert [event for event in events if event[0] != "progress"] == []


def test_a_new_start_drops_the_one_before(told):
    runner, events, ended = told
    started, go = threading.Event(), threading.Event()

    def first(_progress):
        started.set()
        go.wait(10)
        return "first"

    runner.start(first)
    assert started.wait(10)
    runner.start(lambda _progress: "second")
    go.set()
    assert ended.wait(10)
    assert [event for event in events if event[0] == "finished"] == [("finished", "second")]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "less than a second"), (12.3, "about 12 s"), (89, "about 89 s"), (100, "about 2 min")],
)
def test_a_time_is_told_as_precisely_as_it_is_known(seconds, text):
    assert time_estimate(seconds) == text
