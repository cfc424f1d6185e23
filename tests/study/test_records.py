import pytest
from PIL import Image

from allxai_desktop.study.folder import Study
from allxai_desktop.study.in_order import InOrder
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import ItemProgress, Progress
from allxai_desktop.study.records import Records
from allxai_desktop.study.states import StateError
from allxai_desktop.study.store import StudyStore

A, R = Person("A07"), Person("R01", "reviewer")


class Told:
    """Records with all that they told, in order, and the thread that they work on."""

    def __init__(self, pump):
        self.pump, self.said, self.errors = pump, [], []
        self.worker = InOrder(pump, self.errors.append)
        self.records = Records(self.worker)
        self.records.changed.connect(lambda row: self.said.append(("changed", row)))
        self.records.voided.connect(lambda name: self.said.append(("voided", name)))
        self.records.received.connect(lambda: self.said.append("received"))

    def settle(self):
        self.worker.wait()
        self.pump.run()


@pytest.fixture
def told(pump):
    made = Told(pump)
    yield made
    made.worker.close()


def study_in(folder):
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (3, 2)).save(folder / name)
    return Study.open(folder)


def test_what_is_known_of_one_study_is_not_of_the_next(told, tmp_path):
    first, second = study_in(tmp_path / "one"), study_in(tmp_path / "two")
    Progress(StudyStore(first.folder)).submit(A, "a.png", "m1")
    told.records.open(first)
    told.settle()
    told.records.open(second)
    assert told.records.item(0) == ItemProgress()


def test_what_is_kept_is_read_when_a_study_is_opened(told, tmp_path):
    study = study_in(tmp_path / "one")
    Progress(StudyStore(study.folder)).submit(A, "b.png", "9f")
    told.records.open(study)
    assert told.records.item(1) == ItemProgress()
    told.settle()
    assert told.said == [("changed", 1), "received"]
    assert told.records.item(1) == ItemProgress("submitted", "A07", mask_sha256="9f")
    assert told.records.item(0) == ItemProgress()


def test_what_somebody_else_recorded_meanwhile_is_taken_over(told, tmp_path):
    study = study_in(tmp_path / "one")
    told.records.open(study)
    told.settle()
    told.said.clear()
    Progress(StudyStore(study.folder)).submit(A, "b.png", "9f")
    told.records.read_again()
    told.settle()
    assert told.said == [("changed", 1), "received"]
    assert told.records.item(1).state == "submitted"


def test_what_nobody_changed_meanwhile_is_told_of_no_row(told, tmp_path):
    study = study_in(tmp_path / "one")
    Progress(StudyStore(study.folder)).submit(A, "b.png", "9f")
    told.records.open(study)
    told.settle()
    told.said.clear()
    told.records.read_again()
    told.settle()
    assert told.said == ["received"]


def test_where_nothing_can_be_read_any_more_what_is_known_stays(told, tmp_path):
    study = study_in(tmp_path / "one")
    store = StudyStore(study.folder)
    Progress(store).submit(A, "b.png", "9f")
    told.records.open(study)
    told.settle()
    for damage in (lambda: store.path.write_bytes(b"no database"), store.path.unlink):
        damage()
        told.records.read_again()
        told.settle()
    assert told.records.item(1).state == "submitted"
    assert told.errors == []


def test_a_folder_of_images_keeps_nothing_until_something_is_submitted(told, tmp_path):
    told.records.open(study_in(tmp_path / "one"))
    told.settle()
    assert not told.records.kept
    told.records.change("a.png", lambda progress: progress.submit(A, "a.png", "9f"))
    told.settle()
    assert told.records.kept


def test_an_approval_that_becomes_void_is_told(told, tmp_path):
    told.records.open(study_in(tmp_path / "one"))
    told.records.change("a.png", lambda progress: progress.submit(A, "a.png", "9f"))
    told.records.change("a.png", lambda progress: progress.approve(R, "a.png", "9f"))
    told.settle()
    told.said.clear()
    told.records.change("a.png", lambda progress: progress.edited(A, "a.png", None, "e0"))
    told.settle()
    assert told.said == [("changed", 0), ("voided", "a.png"), "received"]


def test_what_arrives_in_another_study_is_left_out_but_written(told, tmp_path):
    first = study_in(tmp_path / "one")
    told.records.open(first)
    told.records.change(
        "a.png", lambda progress: progress.submit(A, "a.png", "9f"), lambda: told.said.append("then")
    )
    told.records.open(study_in(tmp_path / "two"))
    told.settle()
    assert told.said == ["received"]
    assert told.records.item(0) == ItemProgress()
    assert Progress(StudyStore(first.folder)).items()["a.png"].state == "submitted"


@pytest.mark.parametrize(("own", "count"), [(True, 1), (False, 0)])
def test_what_was_refused_is_told_in_another_study_where_it_is_asked_for(told, tmp_path, own, count):
    refused = []
    told.records.open(study_in(tmp_path / "one"))
    failed = refused.append if own else None
    told.records.change("a.png", lambda progress: progress.approve(R, "a.png", "9f"), failed=failed)
    told.records.open(study_in(tmp_path / "two"))
    told.settle()
    assert [type(error) for error in refused] == [StateError] * count
    assert told.errors == []


def test_a_change_of_one_image_leaves_the_others_unasked(told, tmp_path, monkeypatch):
    study = study_in(tmp_path / "one")
    Progress(StudyStore(study.folder)).submit(A, "a.png", "9f")
    told.records.open(study)
    told.settle()
    told.said.clear()
    asked = []
    tell = told.records._tell
    monkeypatch.setattr(told.records, "_tell", lambda name, before: (asked.append(name), tell(name, before)))
    told.records.change("b.png", lambda progress: progress.submit(A, "b.png", "9f"))
    told.settle()
    assert (asked, told.said) == (["b.png"], [("changed", 1), "received"])
    assert [item.state for item in told.records.items()] == ["submitted", "submitted"]
