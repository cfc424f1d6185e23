from allxai_desktop.app.view_bar import ViewBar


def test_what_a_slider_says_is_told_soon_and_once(qtbot):
    bar = ViewBar()
    qtbot.addWidget(bar)
    told = []
    bar.adjusted.connect(lambda *values: told.append(values))
    bar.contrast.setValue(-80)
    bar.brightness.setValue(90)
    assert bar._timer.interval() == 15
    qtbot.waitUntil(lambda: bool(told))
    assert told == [(0.9, -0.8)]
