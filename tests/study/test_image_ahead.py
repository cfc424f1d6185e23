import os

import pytest
from PIL import Image

from allxai_desktop.study import image_ahead as ahead_module
from allxai_desktop.study.image_ahead import ImageAhead


@pytest.fixture
def ahead():
    reader = ImageAhead()
    yield reader
    reader.close()


@pytest.fixture
def path(tmp_path):
    Image.new("RGB", (4, 3), (7, 0, 0)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_what_was_read_ahead_is_taken_once(ahead, path):
    ahead.read(path)
    assert ahead.take(path).pixels[0, 0].tolist() == [7, 0, 0]
    assert ahead.take(path) is None


def test_another_image_is_not_in_memory(ahead, path, tmp_path):
    ahead.read(path)
    assert ahead.take(tmp_path / "b.png") is None


def test_a_file_that_changed_meanwhile_is_not_taken(ahead, path):
    ahead.read(path)
    os.utime(path, ns=(1, 1))
    assert ahead.take(path) is None


def test_what_cannot_be_read_is_nothing(ahead, path, tmp_path):
    path.write_bytes(b"")
    ahead.read(path)
    assert ahead.take(path) is None
    ahead.read(tmp_path / "missing.png")
    assert ahead.take(tmp_path / "missing.png") is None


def test_a_very_large_file_is_left(ahead, path, monkeypatch):
    monkeypatch.setattr(ahead_module, "MAX_BYTES", 10)
    ahead.read(path)
    assert ahead.take(path) is None
