import numpy as np
import pytest

from allxai_desktop.study import check_ahead
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.check_ahead import CheckAhead
from allxai_desktop.study.checks import Finding
from allxai_desktop.study.in_order import InOrder

WHOLE = np.full((5, 5), 5, np.uint8)
SPECK = WHOLE.copy()
SPECK[0, 0] = 1
FOUND = ((Finding("speck", 1, 1, (0, 0)),), mask_sha256(SPECK))


@pytest.fixture
def worker():
    made = InOrder(lambda call: call(), lambda error: None)
    yield made
    made.close()


@pytest.fixture
def checked(monkeypatch):
    """Return the masks that were really looked at."""
    masks = []
    real = check_ahead.check
    monkeypatch.setattr(check_ahead, "check", lambda codes: masks.append(codes.sum()) or real(codes))
    return masks


def test_what_was_found_after_the_stroke_is_there_at_once(worker, checked):
    ahead, got = CheckAhead(worker), []
    ahead.changed(SPECK)
    worker.wait()
    ahead.ask(SPECK, got.append)
    assert got == [FOUND]
    assert len(checked) == 1


def test_what_is_not_known_yet_is_looked_for(worker):
    ahead, got = CheckAhead(worker), []
    ahead.ask(SPECK, got.append)
    worker.wait()
    assert got == [FOUND]


def test_the_mask_before_is_of_no_interest(worker):
    ahead, got = CheckAhead(worker), []
    ahead.changed(SPECK)
    worker.wait()
    ahead.changed(WHOLE, got.append)
    worker.wait()
    assert got == [((), mask_sha256(WHOLE))]


def test_a_very_large_mask_is_checked_when_asked_for(worker, checked, monkeypatch):
    monkeypatch.setattr(check_ahead, "MAX_PIXELS", 24)
    ahead, got = CheckAhead(worker), []
    ahead.changed(SPECK)
    worker.wait()
    assert checked == []
    ahead.ask(SPECK, got.append)
    worker.wait()
    assert got == [FOUND]
