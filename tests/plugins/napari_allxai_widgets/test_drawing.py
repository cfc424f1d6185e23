"""What several widgets draw."""

from types import SimpleNamespace

from napari_allxai_widgets import drawing


def test_a_picture_has_the_pixels_of_the_sharpest_screen(monkeypatch):
    screens = [SimpleNamespace(devicePixelRatio=lambda ratio=ratio: ratio) for ratio in (1.0, 1.75)]
    monkeypatch.setattr(drawing, "QGuiApplication", SimpleNamespace(screens=lambda: screens))
    assert drawing.sharp(48) == 84
    screens.clear()
    assert drawing.sharp(48) == 48
