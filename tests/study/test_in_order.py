from threading import Event

import pytest

from allxai_desktop.study.in_order import InOrder


@pytest.fixture
def worker():
    worker = InOrder(lambda call: call(), lambda error: None)
    yield worker
    worker.close()


def test_what_comes_after_a_pause_waits_for_it_unless_somebody_waits(worker):
    done = []
    worker.pause(3600)
    worker.run(lambda: 1, done.append, lambda: True)
    assert done == []
    worker.wait()
    assert done == [1]


def test_the_pauses_of_many_steps_are_over_at_the_same_time(worker):
    done = Event()
    for _step in range(1000):
        worker.pause(0.1)
    worker.run(lambda: 1, lambda _one: done.set(), lambda: True)
    assert done.wait(30)
