import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_allxai_widgets import drops


def dropped(*urls):
    """Return the event of a drop and the data that it borrows."""
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, data, buttons, modifiers)
    event.ignore()
    return event, data


@pytest.fixture
def used(qapp):
    return []


def test_the_first_file_of_this_machine_is_taken_once_the_drop_has_ended(used, qtbot, tmp_path):
    event, _data = dropped("https://example.org/a.png", tmp_path.as_uri(), "file:///elsewhere")
    drops.take(event, used.append)
    assert event.isAccepted()
    assert used == []
    qtbot.waitUntil(lambda: used == [tmp_path])


def test_what_is_no_file_of_this_machine_is_left(used, qtbot):
    event, _data = dropped("https://example.org/a.png")
    drops.take(event, used.append)
    qtbot.wait(20)
    assert not event.isAccepted()
    assert used == []
