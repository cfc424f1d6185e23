import gc

import pytest

from allxai_desktop.app.main import keep_what_is_there


@pytest.fixture
def starting():
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("starting")
def test_what_the_start_made_is_not_searched_for_garbage_again():
    made = [[]]

    keep_what_is_there()

    later = [[]]
    searched = [id(one) for one in gc.get_objects()]
    assert gc.isenabled()
    assert id(made) not in searched
    assert id(later) in searched
