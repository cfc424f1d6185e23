import errno
import os
import sys
import tomllib

import pytest
from PIL import Image

from allxai_desktop.study.folder import Study, StudyError
from allxai_desktop.study.image_import import import_images
from allxai_desktop.study.locks import PaintingSession, acquire


def picture(path, red):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 2), (red, 0, 0)).save(path)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "from the microscope"
    picture(folder / "cell_10.png", 1)
    picture(folder / "cell_9.png", 2)
    picture(folder / "monday" / "cell_9.png", 3)
    picture(folder / "PixelLabelData_1" / "Label_1.png", 4)
    (folder / "notes.txt").write_text("x")
    return folder


@pytest.fixture
def study(tmp_path):
    return tmp_path / "new" / "study"


def test_a_new_study_gets_the_images_and_a_title(source, study):
    found = import_images(study, source)
    assert found.added == ("cell_9.png", "cell_10.png", "cell_9_2.png")
    assert [item.image_path.name for item in Study.open(study).items] == [
        "cell_9.png",
        "cell_9_2.png",
        "cell_10.png",
    ]
    assert tomllib.loads((study / "study.toml").read_text()) == {"title": "study"}


def test_two_images_with_one_name_are_kept_apart(source, study):
    assert import_images(study, source).renamed == (("monday/cell_9.png", "cell_9_2.png"),)
    assert (study / "images" / "cell_9_2.png").read_bytes() == (source / "monday" / "cell_9.png").read_bytes()
    assert (study / "images" / "cell_9.png").read_bytes() == (source / "cell_9.png").read_bytes()


def test_of_two_imports_at_one_time_neither_writes_over_the_images_of_the_other(tmp_path, study):
    for first, folder in ((3, "one"), (4, "two")):
        (tmp_path / folder).mkdir()
        for number in range(3):
            level = 10 * number + first
            Image.new("RGB", (2, 2), (level, 0, 0)).save(tmp_path / folder / f"IMG_{number}.png")
    others = []

    def meanwhile(share):
        if share and not others:
            others.append(import_images(study, tmp_path / "two"))

    found = import_images(study, tmp_path / "one", progress=meanwhile)
    levels = {path.name: Image.open(path).getpixel((0, 0))[0] for path in (study / "images").iterdir()}
    assert found.added == ("IMG_0.png", "IMG_1_2.png", "IMG_2_2.png")
    assert [levels[name] for name in found.added] == [3, 13, 23]
    assert others[0].added == ("IMG_0_2.png", "IMG_1.png", "IMG_2.png")
    assert [levels[name] for name in others[0].added] == [4, 14, 24]


def test_a_study_gets_its_title_while_nobody_else_writes_it(tmp_path, study, monkeypatch):
    picture(tmp_path / "in" / "cell.png", 1)
    named = []

    def as_text(name):
        named.append((name, (study / "study.lock").exists()))
        return name

    monkeypatch.setattr("allxai_desktop.study.image_import.as_text", as_text)
    import_images(study, tmp_path / "in")
    assert named == [("cell.png", True), ("study", True)]
    assert not (study / "study.lock").exists()


def test_beside_a_program_that_does_not_let_the_study_go_no_image_is_taken_in(source, study, monkeypatch):
    study.mkdir(parents=True)
    acquire(study / "study.lock", PaintingSession.new(), "B01")
    monkeypatch.setattr("allxai_desktop.study.folder._PATIENCE_S", 0)
    with pytest.raises(StudyError, match="study is in use by another program"):
        import_images(study, source)
    assert list((study / "images").iterdir()) == []


def test_doing_it_again_adds_nothing(source, study):
    import_images(study, source)
    again = import_images(study, source)
    assert (again.added, again.known) == ((), 3)


def test_names_that_differ_in_case_alone_are_kept_apart(source, study):
    import_images(study, source)
    picture(source / "more" / "CELL_10.png", 9)
    assert import_images(study, source).added == ("CELL_10_2.png",)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="every name of this system is text")
@pytest.mark.parametrize("raw", [b"c\xe9lula.png", b"c\nlula.png"])
def test_what_is_no_text_in_a_name_is_replaced(tmp_path, study, raw):
    picture(tmp_path / "in" / "a.png", 1)
    (tmp_path / "in" / "a.png").rename(tmp_path / "in" / os.fsdecode(raw))
    found = import_images(study, tmp_path / "in")
    assert (found.added, found.renamed) == (("c_lula.png",), (("c_lula.png", "c_lula.png"),))
    assert import_images(study, tmp_path / "in").known == 1


def test_of_a_symbolic_link_the_image_is_linked(tmp_path, study):
    picture(tmp_path / "originals" / "cell.png", 1)
    (tmp_path / "chosen").mkdir()
    try:
        (tmp_path / "chosen" / "cell.png").symlink_to("../originals/cell.png")
    except OSError:
        pytest.skip("this system makes symbolic links for administrators only")
    import_images(study, tmp_path / "chosen", link=True)
    assert (study / "images" / "cell.png").samefile(tmp_path / "originals" / "cell.png")


def test_images_are_linked_where_asked(source, study):
    import_images(study, source, link=True)
    assert (study / "images" / "cell_10.png").samefile(source / "cell_10.png")


def test_a_study_with_its_images_beside_its_masks_stays_so(source, tmp_path):
    picture(tmp_path / "flat" / "old.png", 7)
    import_images(tmp_path / "flat", source)
    assert len(Study.open(tmp_path / "flat").items) == 4


def test_what_the_study_says_of_itself_stays(source, study):
    study.mkdir(parents=True)
    (study / "study.toml").write_text('title = "Mine"\n')
    import_images(study, source)
    assert Study.open(study).title == "Mine"


def test_a_folder_without_images_is_refused(tmp_path, study):
    with pytest.raises(StudyError, match="holds no images"):
        import_images(study, tmp_path)
    with pytest.raises(StudyError, match="is no folder"):
        import_images(study, tmp_path / "missing")
    assert not study.exists()


def test_what_was_taken_in_before_it_was_stopped_stays(source, study):
    def stop(share):
        if share > 0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        import_images(study, source, progress=stop)
    assert [path.name for path in (study / "images").iterdir()] == ["cell_9.png"]


@pytest.mark.parametrize("again", [False, True])
def test_an_image_that_may_not_be_read_is_named(source, study, monkeypatch, again):
    if again:
        import_images(study, source)

    def denied(path, *_other, **_options):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("allxai_desktop.study.image_import.filecmp.cmp", denied)
    monkeypatch.setattr("pathlib.Path.read_bytes", denied)
    with pytest.raises(StudyError, match=r"^cell_9.png could not be opened \(Permission denied\): check"):
        import_images(study, source)
