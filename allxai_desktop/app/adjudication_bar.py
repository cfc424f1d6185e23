"""The bar over the canvas that says whose second annotation, or whose adjudication, is open."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal as Told
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from allxai_desktop.agreement.adjudication import Adjudication
from allxai_desktop.agreement.gathering import Pair
from allxai_desktop.agreement.pictures import side_picture, view_box
from allxai_desktop.agreement.regions import Side
from allxai_desktop.agreement.words import person
from allxai_desktop.cellclasses import BY_CODE
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.images import CellImage
from allxai_desktop.keys import KEYS
from napari_allxai_widgets.drawing import pixmap

PICTURE = 96
STYLE = """
QFrame#mode { background: #E69F00; border-radius: 3px; }
QFrame#mode QWidget#walk { background: transparent; }
QFrame#mode QLabel { color: black; background: transparent; }
QFrame#mode QPushButton, QFrame#mode QToolButton {
    color: black; background: rgba(255, 255, 255, 110); border: none; border-radius: 3px; padding: 3px 10px;
}
QFrame#mode QToolButton { padding: 3px; font-weight: bold; }
QFrame#mode QPushButton:hover, QFrame#mode QToolButton:hover { background: rgba(255, 255, 255, 190); }
QFrame#mode QPushButton:disabled { color: rgba(0, 0, 0, 90); }
"""
SIDES: tuple[Side, ...] = ("first", "second")


class AdjudicationBar(QFrame):
    """Shows an `Adjudication` region by region, or one sentence; hidden while there is neither.

    `left` asks to go back to the study, `next_asked` for the next image.
    """

    left = Told()
    next_asked = Told()

    def __init__(self) -> None:
        super().__init__(objectName="mode")
        self.setStyleSheet(STYLE)
        self.model: Adjudication | None = None
        self.pair: Pair | None = None
        self._image: CellImage | None = None
        self._text = ""
        self._build()
        self.retranslate()
        self.hide()

    def show_blind(self, text: str) -> None:
        """Say whose second annotation is open."""
        self.end()
        self._text = text
        self._show()
        self.show()

    def show_adjudication(self, model: Adjudication, pair: Pair, image: CellImage, title: str) -> None:
        """Walk through the regions of `model`, the two masks of `image`."""
        self.end()
        self.model, self.pair, self._image, self._text = model, pair, image, title
        model.changed.connect(self._show)
        model.current_changed.connect(self._show)
        self._show()
        self.show()

    def end(self) -> None:
        """Stop following, and hide."""
        if self.model is not None:
            self.model.changed.disconnect(self._show)
            self.model.current_changed.disconnect(self._show)
        self.model = self.pair = self._image = None
        self._text = ""
        self.hide()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        for button, text, tip, key in (
            (self.previous, "▲", _("The region before, which is larger"), "previous-region"),
            (self.next, "▼", _("The next region by size"), "next-region"),
        ):
            button.setText(text)
            button.setToolTip(f"{tip} ({KEYS[key].shown})")
            button.setAccessibleName(tip)
        self.back.setText(_("Back to the study"))
        self.own.setText(_("or paint it"))
        self.own.setToolTip(
            _("Every tool paints the final mask: a region is decided when none of it is unlabelled")
        )
        self.next_image.setText(_("Next image"))
        self.next_image.setToolTip(_("Adjudicate the image that agrees least of those that wait"))
        self._show()

    def minimumSizeHint(self) -> QSize:
        """Ask for no width: long names must not make the window wider than the screen."""
        return QSize(0, super().minimumSizeHint().height())

    def _build(self) -> None:
        self.text = QLabel(wordWrap=True)
        self.place, self.own = QLabel(), QLabel()
        self.previous, self.next = QToolButton(), QToolButton()
        self.pictures: dict[Side, QLabel] = {}
        self.names: dict[Side, QLabel] = {}
        self.choose: dict[Side, QPushButton] = {}
        self.rest: dict[Side, QPushButton] = {}
        self.back, self.next_image = QPushButton(), QPushButton()
        self.walk = QWidget(objectName="walk")
        row = QHBoxLayout(self.walk)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        for side in SIDES:
            row.addLayout(self._side(side))
        middle = QVBoxLayout()
        steps = QHBoxLayout()
        for step in (self.previous, self.next):
            step.setFixedWidth(30)
            steps.addWidget(step)
        steps.addStretch()
        steps.insertWidget(2, self.own)
        middle.addWidget(self.place)
        middle.addLayout(steps)
        middle.addStretch()
        row.insertLayout(1, middle)
        row.addStretch(1)
        last = QVBoxLayout()
        for button in (self.next_image, self.back):
            last.addWidget(button)
        last.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.walk, 1)
        layout.addLayout(last)
        self.previous.clicked.connect(lambda: self._step(-1))
        self.next.clicked.connect(lambda: self._step(1))
        self.back.clicked.connect(lambda: self.left.emit())
        self.next_image.clicked.connect(lambda: self.next_asked.emit())

    def _side(self, side: Side) -> QHBoxLayout:
        picture = QLabel()
        picture.setFixedSize(QSize(PICTURE, PICTURE))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pictures[side] = picture
        self.names[side] = QLabel()
        self.choose[side], self.rest[side] = QPushButton(), QPushButton()
        self.choose[side].clicked.connect(partial(self._choose, side))
        self.rest[side].clicked.connect(partial(self._choose_rest, side))
        column = QVBoxLayout()
        column.setSpacing(4)
        for widget in (self.names[side], self.choose[side], self.rest[side]):
            column.addWidget(widget)
        column.addStretch()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(picture)
        row.addLayout(column)
        return row

    def _step(self, by: int) -> None:
        if self.model is not None:
            self.model.step(by)

    def _choose(self, side: Side, _checked: bool = False) -> None:
        if self.model is not None:
            self.model.choose(side)

    def _choose_rest(self, side: Side, _checked: bool = False) -> None:
        if self.model is not None:
            self.model.choose_rest(side)

    def _show(self, *_change: object) -> None:
        model = self.model
        self.text.setVisible(model is None)
        self.walk.setVisible(model is not None)
        self.next_image.setVisible(model is not None)
        self.text.setText(self._text)
        if model is None or self.pair is None or self._image is None:
            return
        number = model.open_count
        waiting = counted(number, N_("{count} region is open"), N_("{count} regions are open"))
        region = model.region
        if region is None:
            self.place.setText(_("The two masks are the same."))
        else:
            here = _("Region {number} of {count}: {pixels} px").format(
                number=model.current + 1, count=len(model.regions), pixels=region.size
            )
            state = waiting if number else "✔ " + _("All regions are decided")
            self.place.setText(f"{self._text}\n{here}\n{state}")
        keys = {"first": "take-left", "second": "take-right"}
        names = {"first": person(self.pair.first), "second": self.pair.second}
        masks = {"first": model.first, "second": model.second}
        for side in SIDES:
            self.names[side].setText(f"<b>{names[side]}</b>")
            self.rest[side].setText(_("The rest"))
            self.rest[side].setToolTip(_("Give every open region to {person}").format(person=names[side]))
            self.rest[side].setEnabled(bool(number))
            self.choose[side].setEnabled(model.may_choose(side))
            if region is None:
                continue
            chosen = "✔ " if model.decision(model.current) == side else ""
            code = region.code(side)
            title = BY_CODE[code].title if code else _("Unlabelled")
            text = f"{chosen}{title}"
            self.choose[side].setText(f"← {text}" if side == "first" else f"{text} →")
            self.choose[side].setToolTip(
                _("This region is as {person} painted it").format(person=names[side])
                + f" ({KEYS[keys[side]].shown})"
            )
            box = view_box(region, model.first.shape)
            self.pictures[side].setPixmap(
                _enlarged(side_picture(self._image.pixels, masks[side], region, box))
            )


def _enlarged(pixels: NDArray[np.uint8]) -> QPixmap:
    return pixmap(pixels).scaled(
        PICTURE, PICTURE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
    )
