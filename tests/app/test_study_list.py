"""What the list of a study shows, without a window."""

from datetime import datetime
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from psygnal import Signal
from qtpy.QtCore import Qt

from allxai_desktop.app.study_list import StudyFilter, StudyListModel, duration
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import Study
from allxai_desktop.study.locks import Holder, PaintingSession
from allxai_desktop.study.preview import OnDisk, mask_on_disk
from allxai_desktop.study.progress import Comment, ItemProgress


class Known:
    """Stands for the `StudyModel`: what is recorded of each row."""

    item_changed = Signal(int)

    def __init__(self):
        self.items = {}
        self.seen = []
        self.workspace = SimpleNamespace(index=None, mask_path=None, paint=None)

    def item(self, row):
        return self.items.get(row, ItemProgress())

    def read_again(self):
        pass

    def seen_on_disk(self, row, mask):
        self.seen.append((row, mask))


@pytest.fixture
def study(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (10, 10)).save(tmp_path / name)
    (tmp_path / "study.toml").write_text('[[items]]\nimage = "b.png"\nclass = "monocyte"\n')
    codes = np.zeros((10, 10), np.uint8)
    codes[:3] = 2
    save_mask(tmp_path / "masks" / "b.npz", codes)
    return Study.open(tmp_path)


@pytest.fixture
def rows(qapp, study, qtbot):
    made = StudyListModel(Known(), lambda call: call())
    made.set_study(study)
    qtbot.waitUntil(lambda: len(made.study_model.seen) == 3)
    yield made
    made.close()


def text(rows, row, role=Qt.ItemDataRole.DisplayRole):
    return rows.data(rows.index(row), role)


def test_a_row_says_state_share_annotator_and_time(rows):
    rows.study_model.items[1] = ItemProgress("submitted", "A07", 130.0)
    assert text(rows, 0) == "a.png\n· to do\n"
    assert text(rows, 1) == "b.png\n▲ submitted\n30 % · A07 · 2 min"


def test_the_crops_of_a_field_are_told_apart_by_their_places(rows, study):
    (study.folder / "study.toml").write_text(
        '[[items]]\nimage = "a_00010_00020_257.png"\nfield = "a.png"\nat = [10, 20, 257]\n'
    )
    Image.new("RGB", (10, 10)).save(study.folder / "a_00010_00020_257.png")
    rows.set_study(Study.open(study.folder))
    shown = [text(rows, row).split("\n")[0] for row in range(4)]
    assert shown == ["a.png", "…_00010_00020", "b.png", "c.png"]


def test_a_mask_that_nobody_recorded_is_in_progress(rows):
    assert text(rows, 1).splitlines()[1] == "✎ in progress"


def test_a_mask_that_does_not_fit_counts_as_none(rows, study, qtbot):
    save_mask(study.items[2].mask_path, np.full((5, 5), 1, np.uint8))
    study.items[0].mask_path.write_bytes(b"no mask")
    rows.refresh(0)
    rows.refresh(2)
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 5)
    assert text(rows, 0) == "a.png\n✖ mask cannot be read\n"
    assert text(rows, 2) == "c.png\n✖ mask does not fit\n"
    assert rows.painted() == 0
    assert rows.state(2) == "to-do"
    tip = text(rows, 2, Qt.ItemDataRole.ToolTipRole)
    assert tip == "c.png, ✖ mask does not fit, what is painted is saved as c-2.npz"


def test_an_image_that_cannot_be_read_does_not_count_as_painted(rows, study, qtbot):
    save_mask(study.items[2].mask_path, np.full((10, 10), 5, np.uint8))
    study.items[2].image_path.write_bytes(b"no image")
    rows.refresh(2)
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 4)
    assert text(rows, 2) == "c.png\n✖ cannot be read\n"
    assert rows.painted() == 0
    assert rows.state(2) == "to-do"


def test_an_image_that_could_not_be_read_counts_again_once_it_is_shown(rows, study, qtbot):
    place = study.items[2].image_path
    save_mask(study.items[2].mask_path, np.full((10, 10), 5, np.uint8))
    rows.refresh(2)
    qtbot.waitUntil(lambda: rows.painted() == 1)
    away = place.rename(place.with_name("away"))
    rows.mark_failed(2)
    qtbot.waitUntil(lambda: rows.painted() == 0)
    assert text(rows, 2) == "c.png\n✖ cannot be read\n"
    away.rename(place)
    rows.mark_shown(2)
    qtbot.waitUntil(lambda: rows.painted() == 1)
    assert text(rows, 2) == "c.png\n✎ in progress\n100 %"


def test_the_mask_of_somebody_elses_record_is_looked_for_where_there_was_none(rows, study, qtbot):
    save_mask(study.items[2].mask_path, np.full((10, 10), 5, np.uint8))
    rows.study_model.items[2] = ItemProgress("submitted", "B02")
    rows.show_recorded(2)
    qtbot.waitUntil(lambda: rows.painted() == 1)
    assert text(rows, 2) == "c.png\n▲ submitted\n100 % · B02"


def test_the_mask_of_somebody_elses_record_is_read_again_where_more_is_painted_since(rows, study, qtbot):
    save_mask(study.items[1].mask_path, np.full((10, 10), 5, np.uint8))
    rows.study_model.items[1] = ItemProgress("submitted", "B02", 0.0, "9f")
    rows.show_recorded(1)
    qtbot.waitUntil(lambda: rows.painted() == 1)
    assert text(rows, 1) == "b.png\n▲ submitted\n100 % · B02"


def test_what_is_painted_beside_a_mask_that_does_not_fit_is_shown_as_of_other_images(rows, study, qtbot):
    place = study.items[2].mask_path
    save_mask(place, np.full((5, 5), 1, np.uint8))
    save_mask(place.with_name("c-2.npz"), np.full((10, 10), 5, np.uint8))
    rows.refresh(2)
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 4)
    assert rows.state(2) == "in-progress"
    assert rows.painted() == 1
    assert text(rows, 2) == "c.png\n✎ in progress\n100 % · …-2.npz"
    tip = text(rows, 2, Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith(", ✖ mask does not fit, what is painted is saved as c-2.npz")


def test_who_paints_beside_a_mask_that_does_not_fit_is_named(rows, study, qtbot):
    save_mask(study.items[2].mask_path, np.full((5, 5), 1, np.uint8))
    save_mask(study.items[2].mask_path.with_name("c-2.npz"), np.full((10, 10), 5, np.uint8))
    rows.refresh(2)
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 4)
    now, session = datetime(2026, 11, 29), PaintingSession.new()
    found = {"c": Holder("B02", now, session), "c-2": Holder("C03", now, session)}
    rows.study_model.workspace.holders = lambda _study: found
    rows.set_study(study)
    qtbot.waitUntil(lambda: text(rows, 2).startswith("c.png\n✎ painting: C03"))


def test_a_comment_is_read_in_the_list(rows):
    rows.study_model.items[0] = ItemProgress("returned", "A07", comments=(Comment("R01", 1, 2, "Too wide"),))
    assert text(rows, 0) == "a.png\n↩ returned\n“Too wide”"
    assert "R01: Too wide" in text(rows, 0, Qt.ItemDataRole.ToolTipRole)


def test_a_comment_is_no_html(rows):
    rows.study_model.items[0] = ItemProgress("returned", comments=(Comment("R01", 1, 2, "<img src=x>"),))
    assert "&lt;img src=x&gt;" in text(rows, 0, Qt.ItemDataRole.ToolTipRole)


def test_the_masks_on_disk_are_told_to_the_study(rows, study):
    codes = np.zeros((10, 10), np.uint8)
    codes[:3] = 2
    assert sorted(rows.study_model.seen) == [(0, None), (1, mask_sha256(codes)), (2, None)]


def names(shown):
    return [shown.data(shown.index(row, 0)).split("\n")[0] for row in range(shown.rowCount())]


def test_the_list_is_searched_by_name_class_and_annotator(rows):
    shown = StudyFilter(rows)
    rows.study_model.items[2] = ItemProgress("submitted", "A07")
    for searched, found in (("B.P", ["b.png"]), ("mono", ["b.png"]), ("a07", ["c.png"]), ("zzz", [])):
        shown.setFilterFixedString(searched)
        assert names(shown) == found


def test_the_list_is_filtered_by_state_and_the_row_in_work_stays(rows):
    shown = StudyFilter(rows)
    rows.study_model.items[2] = ItemProgress("approved", "A07")
    shown.set_state("approved")
    assert names(shown) == ["c.png"]
    shown.keep(0)
    assert names(shown) == ["a.png", "c.png"]
    shown.set_state(None)
    assert names(shown) == ["a.png", "b.png", "c.png"]


def test_the_row_in_work_stays_in_a_search(rows):
    shown = StudyFilter(rows)
    shown.keep(0)
    shown.setFilterFixedString("b.p")
    assert names(shown) == ["a.png", "b.png"]
    shown.keep(2)
    assert names(shown) == ["b.png", "c.png"]


def test_only_the_rows_that_come_and_go_are_looked_at_when_another_image_is_in_work(rows):
    asked = []

    class Counting(StudyFilter):
        def filterAcceptsRow(self, source_row, source_parent):
            asked.append(source_row)
            return super().filterAcceptsRow(source_row, source_parent)

    shown = Counting(rows)
    shown.keep(0)
    asked.clear()
    shown.keep(2)
    assert sorted(asked) == [0, 2]


def test_where_nobody_began_to_paint_no_row_is_looked_at(rows, monkeypatch):
    rows.study_model.workspace.holders = lambda _study: {}
    asked = []
    monkeypatch.setattr(rows, "_stem", asked.append)
    rows._read_holders()
    rows._reader.submit(int).result()
    assert asked == []


@pytest.fixture
def read(monkeypatch):
    """The stems of the images whose masks are read from now on."""
    found = []
    monkeypatch.setattr(
        "allxai_desktop.app.study_list.mask_on_disk",
        lambda item, taken: found.append(item.stem) or mask_on_disk(item, taken),
    )
    return found


def test_what_is_known_of_an_image_stays_where_another_is_added_to_its_study(rows, study, qtbot, read):
    text(rows, 1, Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: rows._icons[1] is not rows._blank)
    for name in ("a-2.png", "d.png"):
        Image.new("RGB", (10, 10)).save(study.folder / name)
    rows.set_study(Study.open(study.folder))
    assert text(rows, 2) == "b.png\n✎ in progress\n30 %"
    assert list(rows._icons) == [2]
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 5)
    assert read == ["a-2", "d"]


def test_a_mask_that_changed_is_read_again_where_another_image_is_added_to_its_study(
    rows, study, qtbot, read
):
    save_mask(study.items[1].mask_path, np.full((10, 10), 5, np.uint8))
    rows.set_study(Study.open(study.folder))
    qtbot.waitUntil(lambda: text(rows, 1) == "b.png\n✎ in progress\n100 %")
    assert read == ["b"]


def test_an_image_that_changed_loses_its_thumbnail_on_the_thread_of_the_window(rows, study, qtbot):
    text(rows, 1, Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: rows._icons[1] is not rows._blank)
    before = rows._icons[1]
    Image.new("RGB", (10, 10), (255, 0, 0)).save(study.items[1].image_path)
    delivered = []
    rows._dispatch = delivered.append
    rows.set_study(Study.open(study.folder))
    qtbot.waitUntil(lambda: len(delivered) == 1)
    # The window may be about to paint it.
    assert rows._icons[1] is before
    delivered[0]()
    assert rows._icons == {}


def test_what_was_wrong_with_a_mask_is_looked_at_again_where_another_image_is_added(rows, study, qtbot, read):
    study.items[1].mask_path.write_bytes(b"no mask")
    rows.refresh(1)
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 4)
    read.clear()
    # What is painted instead lies in a file beside it.
    save_mask(study.folder / "masks" / "b-2.npz", np.full((10, 10), 5, np.uint8))
    rows.set_study(Study.open(study.folder))
    qtbot.waitUntil(lambda: text(rows, 1).endswith("100 % · …-2.npz"))
    assert read == ["b"]


def test_the_thumbnail_that_came_into_sight_last_is_read_first(rows, qtbot, monkeypatch):
    begun, go_on, read = Event(), Event(), []

    def slow(item, side):
        read.append(item.stem)
        begun.set()
        assert go_on.wait(10)
        return np.zeros((side, side, 3), np.uint8)

    monkeypatch.setattr("allxai_desktop.app.study_list.thumbnail", slow)
    text(rows, 0, Qt.ItemDataRole.DecorationRole)
    assert begun.wait(10)
    for row in (1, 2):
        text(rows, row, Qt.ItemDataRole.DecorationRole)
    go_on.set()
    qtbot.waitUntil(lambda: len(read) == 3)
    assert read == ["a", "c", "b"]


def test_the_mask_of_a_row_in_sight_is_read_before_the_rest_of_the_study(rows, study, qtbot, monkeypatch):
    begun, go_on, read = Event(), Event(), []

    def slow(item, _taken):
        read.append(item.stem)
        begun.set()
        assert go_on.wait(10)
        return OnDisk()

    monkeypatch.setattr("allxai_desktop.app.study_list.mask_on_disk", slow)
    rows.set_study(None)
    rows.set_study(study)
    assert begun.wait(10)
    text(rows, 2, Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: rows._icons[2] is not rows._blank)
    go_on.set()
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 6)
    assert read == ["a", "c", "b"]


def test_a_mask_that_is_asked_for_is_read_before_the_rest_of_the_study(rows, study, qtbot, monkeypatch):
    begun, go_on, read = Event(), Event(), []

    def slow(item, _taken):
        read.append(item.stem)
        begun.set()
        assert go_on.wait(10)
        return OnDisk()

    monkeypatch.setattr("allxai_desktop.app.study_list.mask_on_disk", slow)
    rows.set_study(None)
    rows.set_study(study)
    assert begun.wait(10)
    rows.refresh(2)
    go_on.set()
    qtbot.waitUntil(lambda: len(rows.study_model.seen) == 6)
    assert read == ["a", "c", "b"]


def test_a_mask_saved_while_the_window_closes_is_not_read_again(rows):
    rows.close()
    rows.refresh(0)


def test_the_mask_in_work_is_not_read_again_when_it_was_saved(rows, study):
    paint = PaintModel(np.zeros((10, 10), np.uint8))
    paint.apply(np.arange(25), 1)
    path = study.items[0].mask_path
    rows.study_model.workspace = SimpleNamespace(index=0, mask_path=path, paint=paint)
    # There is no such file.
    rows.show_saved(path)
    assert text(rows, 0) == "a.png\n✎ in progress\n25 %"


def test_a_mask_saved_after_its_image_was_left_is_read(rows, study, qtbot):
    save_mask(study.items[0].mask_path, np.full((10, 10), 1, np.uint8))
    rows.study_model.workspace = SimpleNamespace(index=1, mask_path=study.items[1].mask_path, paint=None)
    rows.show_saved(study.items[0].mask_path)
    qtbot.waitUntil(lambda: "100 %" in text(rows, 0))


def test_the_images_in_sight_do_not_wait_for_the_masks(qapp, study, qtbot, monkeypatch):
    go_on = Event()
    monkeypatch.setattr(
        "allxai_desktop.app.study_list.mask_on_disk", lambda item, taken: go_on.wait(30) and OnDisk()
    )
    made = StudyListModel(Known(), lambda call: call())
    made.set_study(study)
    text(made, 0, Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: made._icons[0] is not made._blank)
    assert not made.study_model.seen
    go_on.set()
    made.close()


def test_the_names_of_narrow_images_begin_where_the_others_do(rows, study, qtbot):
    Image.new("RGB", (2, 10), (255, 0, 0)).save(study.items[0].image_path)
    text(rows, 0, Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: rows._icons[0] is not rows._blank)
    icon = text(rows, 0, Qt.ItemDataRole.DecorationRole).pixmap(48, 48)
    drawn = icon.toImage()
    assert (drawn.width(), drawn.height()) == (48, 48)
    red = [x for x in range(48) if drawn.pixelColor(x, 24).red() == 255]
    assert red == [23, 24]


def test_times_are_short():
    assert [duration(seconds) for seconds in (0, 0.2, 20, 100, 3900)] == [
        "",
        "1 s",
        "20 s",
        "2 min",
        "1 h 5 min",
    ]
