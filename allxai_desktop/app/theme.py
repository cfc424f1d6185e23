"""Colours and sizes of the window: napari's style sheet and what ours adds."""

import numpy as np
from napari.qt import get_stylesheet
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor, QPalette

THEMES = ("dark", "light")

EXTRA = """
QWidget {{ font-size: {normal}pt; }}
QLabel#panelTitle {{ font-weight: bold; font-size: {larger}pt; letter-spacing: 1px; }}
QLabel#warning {{ background: #E69F00; color: black; border-radius: 3px; padding: 3px 6px; }}
QLabel#message {{ font-style: italic; padding: 3px; }}
QFrame#notice {{ background: {info}; border-radius: 3px; }}
QFrame#notice[level="warning"] {{ background: #E69F00; }}
QFrame#notice[level="warning"] QLabel {{ color: black; background: transparent; }}
QFrame#notice[level="error"] {{ background: #A61B1B; }}
QFrame#notice[level="error"] QLabel {{ color: white; background: transparent; }}
QFrame#notice QLabel {{ background: transparent; }}
QFrame#notice QLabel, QFrame#studyBar QLabel, QFrame#mode QLabel, QFrame#whatIf QLabel {{ font-size: {larger}pt; }}
QFrame#studyBar QLabel#hint {{ font-size: {normal}pt; }}
QTableView {{ background: transparent; border: none; }}
QTableView::item {{ padding: 0px 3px; }}
QHeaderView::section {{ background: transparent; border: none; padding: 1px 3px; }}
QTabWidget::pane {{ border: none; }}
QTabBar {{ qproperty-drawBase: 0; background: transparent; }}
QTabBar::tab {{ background: transparent; border: none; border-bottom: 2px solid {foreground}; padding: 3px 9px; }}
QTabBar::tab:selected {{ background: transparent; border-bottom: 2px solid {current}; font-weight: bold; }}
QTabBar::tab:hover {{ background: {foreground}; }}
QComboBox {{ min-height: 20px; }}
QPushButton:focus {{ border: 1px solid {dim}; padding: 3px; }}
QToolButton:focus {{ border: 1px solid {dim}; border-radius: 2px; }}
QComboBox:focus {{ border-bottom: 2px solid {dim}; padding-bottom: 1px; }}
QCheckBox::indicator:focus {{ border: 1px solid {dim}; padding: 0px; }}
QRadioButton::indicator:focus {{ border: 1px solid {dim}; }}
QRadioButton::indicator:unchecked:focus {{ width: 14px; height: 14px; }}
QRadioButton::indicator:checked:focus {{ padding: 4px; }}
QListView:focus {{ border: 1px solid {dim}; padding: 0px; }}
QComboBox QListView:focus {{ border: none; padding: 1px; }}
QSlider::handle:horizontal {{ background: {handle}; }}
QSlider::handle:horizontal:focus {{ background: {dim}; }}
QTabBar::tab:selected:focus {{ background: {foreground}; border-bottom-color: {dim}; }}
QLineEdit {{ placeholder-text-color: {hint}; }}
QFrame#popup {{ border: 1px solid {highlight}; border-radius: 3px; }}
QFrame#keySheet {{ background: {background}; border: 1px solid {highlight}; border-radius: 6px; }}
QFrame#keySheet QLabel {{ background: transparent; }}
QLabel#emptyTitle {{ font-size: {title}pt; }}
QLabel#emptyText {{ font-size: {large}pt; }}
QLabel#research {{ color: {dim}; }}
QMenuBar, QMenuBar::item {{ background: {background}; }}
QMenuBar::item {{ padding: 4px 9px; }}
QMenuBar::item:selected {{ background: {highlight}; }}
QStatusBar {{ background: {background}; }}
QStatusBar::item {{ border: none; }}
QMainWindow::separator {{ background: {foreground}; width: 3px; height: 3px; }}
"""


def stylesheet(theme: str) -> str:
    """Return the style sheet of the window for one of `THEMES`."""
    colors = get_theme(theme)
    # Qt's own hint, half text and half background, is too faint to read.
    text, field = (np.array(color.as_rgb_tuple()[:3]) for color in (colors.text, colors.primary))
    hint = 0.7 * text + 0.3 * field
    # napari's own handle is hardly told from what it lies on.
    handle = (text + np.array(colors.background.as_rgb_tuple()[:3])) / 2
    # A point is a pixel on macOS, and 4/3 elsewhere: napari's size says so.
    size = int(colors.font_size.removesuffix("pt"))
    return str(get_stylesheet(theme)) + EXTRA.format(
        background=colors.background.as_hex(),
        foreground=colors.foreground.as_hex(),
        highlight=colors.highlight.as_hex(),
        info=colors.current.as_hex(),
        current=colors.current.as_hex(),
        dim=colors.icon.as_hex(),
        hint=QColor(*hint.astype(int).tolist()).name(),
        handle=QColor(*handle.astype(int).tolist()).name(),
        normal=size,
        larger=size + 1,
        large=size + 2,
        title=2 * size,
    )


def palette(theme: str) -> QPalette:
    """Return the palette that self-drawn widgets read, in the colours of the theme."""
    colors = get_theme(theme)
    made = QPalette()
    text, background, foreground = (
        QColor(color.as_hex()) for color in (colors.text, colors.background, colors.foreground)
    )
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        made.setColor(role, text)
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        made.setColor(role, background)
    for role in (QPalette.ColorRole.Button, QPalette.ColorRole.AlternateBase):
        made.setColor(role, foreground)
    return made
