from queue import Queue

import numpy as np
import pytest

from allxai_desktop.study import check_ahead
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.check_ahead import CheckAhead
from allxai_desktop.study.checks import Finding

WHOLE = np.full((5, 5), 5, np.uint8)
SPECK = WHOLE.copy()
SPECK[0, 0] = 1
FOUND = ((Finding("speck", 1, 1, (0, 0)),), mask_sha256(SPECK))


@pytest.fixture
def ahead():
    made = CheckAhead(lambda call: call(), lambda error: None)
    yield made
    made.close()


@pytest.fixture
def checked(monkeypatch):
    """Return the masks that were really looked at."""
    masks = []
    real = check_ahead.check
    monkeypatch.setattr(check_ahead, "check", lambda codes: masks.append(codes.sum()) or real(codes))
    return masks


def test_what_was_found_after_the_stroke_is_there_at_once(ahead, checked):
    got = []
    ahead.changed(SPECK)
    ahead.wait()
    ahead.ask(SPECK, got.append)
    assert got == [FOUND]
    assert len(checked) == 1


def test_what_is_not_known_yet_is_looked_for(ahead):
    got = []
    ahead.ask(SPECK, got.append)
    ahead.wait()
    assert got == [FOUND]


def test_the_mask_before_is_of_no_interest(ahead):
    got = []
    ahead.changed(SPECK)
    ahead.wait()
    ahead.changed(WHOLE, got.append)
    ahead.wait()
    assert got == [((), mask_sha256(WHOLE))]


def test_of_strokes_that_follow_each_other_the_last_is_checked(ahead, checked):
    ahead.changed(SPECK)
    ahead.changed(WHOLE)
    ahead.wait()
    assert checked == [WHOLE.sum()]


def test_who_asks_does_not_wait_for_more_strokes(ahead, monkeypatch):
    monkeypatch.setattr(check_ahead, "WAIT_S", 60)
    got = Queue()
    ahead.changed(SPECK)
    ahead.ask(SPECK, got.put)
    assert got.get(timeout=20) == FOUND


def test_a_very_large_mask_is_checked_when_asked_for(ahead, checked, monkeypatch):
    monkeypatch.setattr(check_ahead, "MAX_PIXELS", 24)
    got = []
    ahead.changed(SPECK)
    ahead.wait()
    assert checked == []
    ahead.ask(SPECK, got.append)
    ahead.wait()
    assert got == [FOUND]
