import sqlite3
from contextlib import closing
from pathlib import PurePosixPath, PureWindowsPath
from types import SimpleNamespace

import pytest

from allxai_desktop.study import store as store_module
from allxai_desktop.study.store import STORE_FILE, Part, ReadOnlyError, StoreError, StudyStore, uri_of

NOTES = Part("notes", 1, "CREATE TABLE notes (text TEXT) STRICT;\nCREATE INDEX notes_text ON notes (text);")
OTHER = Part("other", 1, "CREATE TABLE other (number INTEGER) STRICT;")


def add(store, text):
    with store.writing(NOTES) as db:
        db.execute("INSERT INTO notes VALUES (?)", (text,))


def texts(store):
    with store.reading(NOTES) as db:
        return None if db is None else [text for (text,) in db.execute("SELECT text FROM notes")]


def test_opening_and_reading_write_nothing(tmp_path):
    assert texts(StudyStore.open(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read_by_another(tmp_path):
    add(StudyStore.open(tmp_path), "one")
    assert texts(StudyStore.open(tmp_path)) == ["one"]


def test_what_is_read_together_is_of_one_moment(tmp_path):
    store = StudyStore(tmp_path)
    add(store, "one")
    with store.reading(NOTES) as db:
        add(StudyStore(tmp_path), "two")
        assert db.execute("SELECT text FROM notes").fetchall() == [("one",)]
    assert texts(store) == ["one", "two"]


def test_nothing_but_the_one_file_stays_behind(tmp_path):
    add(StudyStore.open(tmp_path), "one")
    texts(StudyStore.open(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILE]


def test_each_module_has_its_own_tables(tmp_path):
    store = StudyStore.open(tmp_path)
    add(store, "one")
    with store.reading(OTHER) as db:
        assert db is None
    with store.writing(OTHER) as db:
        db.execute("INSERT INTO other VALUES (3)")
    with store.reading(OTHER) as db:
        assert db.execute("SELECT number FROM other").fetchall() == [(3,)]


def test_a_block_that_raises_leaves_nothing(tmp_path):
    store = StudyStore.open(tmp_path)
    add(store, "one")
    with pytest.raises(sqlite3.IntegrityError), store.writing(NOTES) as db:
        db.executemany("INSERT INTO notes VALUES (?)", [("two",), (b"no text",)])
    assert texts(store) == ["one"]


def test_a_local_disk_gets_a_write_ahead_log(tmp_path):
    add(StudyStore.open(tmp_path), "one")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_shared_disk_gets_a_rollback_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_is_remote", lambda folder: True)
    add(StudyStore.open(tmp_path), "one")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("PRAGMA user_version = 2", "another version"),
        ("UPDATE parts SET version = 2", "another version"),
        ("PRAGMA application_id = 7", "was not made by AllXAI Desktop"),
    ],
)
def test_a_file_of_another_version_or_program_is_refused(tmp_path, change, words):
    add(StudyStore.open(tmp_path), "one")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as db:
        db.execute(change)
        db.commit()
    with pytest.raises(StoreError, match=words):
        texts(StudyStore.open(tmp_path))


def test_a_damaged_file_is_refused_and_stays(tmp_path):
    (tmp_path / STORE_FILE).write_bytes(b"no database" * 200)
    with pytest.raises(StoreError, match=r"study\.sqlite is damaged"):
        StudyStore.open(tmp_path)
    assert (tmp_path / STORE_FILE).read_bytes().startswith(b"no database")


def test_an_empty_file_left_by_a_crash_is_filled(tmp_path):
    (tmp_path / STORE_FILE).touch()
    store = StudyStore.open(tmp_path)
    assert texts(store) is None
    add(store, "one")
    assert texts(store) == ["one"]


def test_a_folder_that_may_not_be_written_says_so(tmp_path, monkeypatch):
    store = StudyStore.open(tmp_path)
    # Also the administrator cannot make a file in a folder that is not there.
    monkeypatch.setattr(store, "path", tmp_path / "missing" / STORE_FILE)
    with pytest.raises(ReadOnlyError, match="may not be written"):
        add(store, "one")
    assert store.read_only


def test_a_file_whose_log_cannot_be_made_is_read_as_it_is(tmp_path):
    add(StudyStore.open(tmp_path), "one")
    # As on a disk that may not be written; this holds for the administrator too.
    (tmp_path / f"{STORE_FILE}-shm").mkdir()
    store = StudyStore.open(tmp_path)
    assert texts(store) == ["one"]
    with pytest.raises(ReadOnlyError):
        add(store, "two")


def test_on_a_full_disk_a_file_is_read_and_writing_says_why(tmp_path, full_disk, monkeypatch):
    add(StudyStore.open(tmp_path), "one")
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    with full_disk():
        store = StudyStore.open(tmp_path)
        assert texts(store) == ["one"]
        with pytest.raises(StoreError, match="the disk is full"):
            add(store, "two")


def test_a_file_in_use_is_refused_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "BUSY_S", 0.01)
    store = StudyStore.open(tmp_path)
    add(store, "one")
    with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="in use by another program"):
            add(store, "two")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PurePosixPath("/data/a b#1?/study.sqlite"), "file:///data/a%20b%231%3F/study.sqlite"),
        (PureWindowsPath(r"C:\data\study.sqlite"), "file:///C:/data/study.sqlite"),
        # A drive letter of a network disk becomes such a path when it is resolved.
        (PureWindowsPath(r"\\server\lab share\study.sqlite"), "file:////server/lab%20share/study.sqlite"),
    ],
)
def test_sqlite_finds_the_file_wherever_it_lies(path, uri):
    assert uri_of(path) == uri


def test_a_table_that_was_taken_away_is_one_sentence(tmp_path):
    store = StudyStore.open(tmp_path)
    add(store, "one")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as db:
        db.execute("DROP TABLE notes")
        db.commit()
    with pytest.raises(StoreError, match=r"^study.sqlite is damaged"):
        texts(store)


@pytest.mark.parametrize(
    ("text", "in_its_place"),
    [
        (b"a note to find", b"a note to \xff\xff\xff\xff"),
        (b"CREATE TABLE notes", b"CREATE \xff\xff\xff\xff\xff notes"),
    ],
)
def test_bytes_that_a_bad_disk_changed_are_one_sentence(tmp_path, text, in_its_place):
    store = StudyStore.open(tmp_path)
    add(store, "a note to find")
    content = (tmp_path / STORE_FILE).read_bytes()
    assert text in content
    (tmp_path / STORE_FILE).write_bytes(content.replace(text, in_its_place))
    with pytest.raises(StoreError, match=r"^study.sqlite is damaged"):
        texts(store)
