"""The desktop window: composes the study list, the canvas and the panels of the plugins."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QGridLayout,
    QMainWindow,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop import keys
from allxai_desktop.analyses.what_if import WhatIf
from allxai_desktop.app.agreement import Agreement
from allxai_desktop.app.canvas_view import CanvasView, short_pixels
from allxai_desktop.app.docks import Docks
from allxai_desktop.app.empty import EmptyState
from allxai_desktop.app.exchange import Exchange
from allxai_desktop.app.fields import Fields
from allxai_desktop.app.key_sheet import KeySheet
from allxai_desktop.app.lost_work import may_lose_work
from allxai_desktop.app.menus import Menus
from allxai_desktop.app.notices import NoticeBar
from allxai_desktop.app.proposals import Proposals
from allxai_desktop.app.qt_texts import QtTexts
from allxai_desktop.app.saving import saved_first
from allxai_desktop.app.settings import WindowSettings
from allxai_desktop.app.status import StatusLine
from allxai_desktop.app.study_desk import StudyDesk
from allxai_desktop.app.study_panel import StudyPanel
from allxai_desktop.app.theme import palette, stylesheet
from allxai_desktop.app.training import Training
from allxai_desktop.app.view_bar import ViewBar
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _, set_language
from allxai_desktop.images import IMAGE_SUFFIXES
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.notice import Notice
from allxai_desktop.overlay import adjust
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.session_engine import Engine
from allxai_desktop.study.folder import STUDY_FILE
from allxai_desktop.study.sample import sample_study
from allxai_desktop.study.workspace import Workspace
from napari_allxai_annotate.canvas import PaintCanvas
from napari_allxai_annotate.panel import AnnotatePanel
from napari_allxai_annotate.pen import PenEraser
from napari_allxai_annotate.shortcuts import Shortcuts
from napari_allxai_explain.analyses import AnalysisTabs
from napari_allxai_explain.comparing import Comparing
from napari_allxai_explain.offered import OfferedNetworks
from napari_allxai_explain.overlay import RelevanceOverlay
from napari_allxai_explain.panel import ExplainPanel
from napari_allxai_explain.view import ExplainView
from napari_allxai_explain.what_if import WhatIfBanner
from napari_allxai_explain.what_if_view import WhatIfView
from napari_allxai_widgets import drops
from napari_allxai_widgets.choosing import choose_file, choose_folder
from napari_allxai_widgets.dispatch import Dispatcher


class MainWindow(QMainWindow):
    """The models live here; every widget follows them."""

    def __init__(self, settings: WindowSettings | None = None, engine: Engine | None = None) -> None:
        super().__init__()
        self.settings = settings or WindowSettings()
        set_language(self.settings.language)
        self.qt_texts = QtTexts()
        self.qt_texts.set_language(self.settings.language)
        keys.load()
        self.dispatch = Dispatcher()
        self.paint = PaintModel()
        # Filled classes and a map over each other cannot be read.
        self.paint.mask_outline = True
        self.session = Session(self.paint, engine, self.dispatch)
        self.workspace = Workspace(self.session, self.dispatch)
        self.what_if = WhatIf(self.session, self.dispatch)
        self.view = ExplainView(
            map_visible=self.settings.map_visible, outline_visible=self.settings.outline_visible
        )
        self.viewer = ViewerModel(title="AllXAI Desktop")
        self.training = Training(self)
        self.exchange = Exchange(self)
        self.agreement = Agreement(self)
        self._save_failed = False
        self._build()
        self._connect()
        self.agreement.connect()
        self.set_theme(self.settings.theme)
        self.setWindowTitle("AllXAI Desktop")
        self.setAcceptDrops(True)
        self.docks.restore()

    # Construction

    def _build(self) -> None:
        cards, failure = [], ""
        try:
            cards = list_networks()
        except AllxaiError as error:
            failure = str(error)
        short_pixels()
        self.qt_viewer = CanvasView(self.viewer)
        self.canvas = PaintCanvas(self.viewer, self.paint)
        self.pen = PenEraser(self.qt_viewer.canvas.native, self.canvas.gestures)
        self.qt_viewer.keep(lambda: self.canvas.own_layers)
        self.proposals = Proposals(self)
        self.fields = Fields(self)
        self.annotate = AnnotatePanel(self.paint, self.canvas, self, self.proposals.ghost)
        self.explain = ExplainPanel(self.session, self.view, cards)
        self.overlay = RelevanceOverlay(self.viewer, self.session, self.view, lambda: self.canvas.image_layer)
        self.what_if_view = WhatIfView(self.canvas, self.what_if, self._adjusted)
        self.what_if_banner = WhatIfBanner(self.what_if)
        self.analyses = AnalysisTabs(self.explain, self.what_if, self.dispatch)
        self.comparing = Comparing(self.explain, self, self.dispatch, lambda: self.workspace.originals)
        self.networks = OfferedNetworks(
            self.explain,
            self.comparing,
            self.dispatch,
            lambda text: self.notices.show_notice(Notice("error", text)),
        )
        self._bind_what_if()
        self.desk = StudyDesk(self)
        self.proposals.learn_from(self.desk.model)
        self.study_panel = StudyPanel(self.desk.model, self.dispatch, self.desk.remember)
        self.notices = NoticeBar()
        self.view_bar = ViewBar()
        self.empty = EmptyState()
        self.setCentralWidget(self._centre())
        self.docks = Docks(self)
        self.status = StatusLine(self)
        self.setStatusBar(self.status)
        self.key_sheet = KeySheet(self)
        self.menus = Menus(self)
        if cards:
            self.session.choose(network=cards[0].name)
        if failure:
            self.notices.show_notice(Notice("error", failure))
        self.retranslate()

    def _centre(self) -> QWidget:
        """Return the canvas with all that lies over, above and below it."""
        pages = QWidget()
        stack = QStackedLayout(pages, stackingMode=QStackedLayout.StackingMode.StackAll)
        # The canvas is never hidden: an OpenGL widget that was not drawn yet has no context to put an image in.
        stack.addWidget(self.qt_viewer)
        stack.addWidget(self.empty)
        stack.setCurrentWidget(self.empty)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.agreement.bar)
        # What comes and goes lies over the canvas, which would jump under the brush if it made room each time.
        canvas = QGridLayout()
        canvas.setSpacing(2)
        middle, bottom = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignBottom
        over = (
            (self.what_if_banner, middle),
            (self.fields.bar, middle),
            (self.notices, Qt.AlignmentFlag(0)),
            (self.desk.bar, middle | bottom),
        )
        canvas.addWidget(pages, 0, 0, len(over), 1)
        for row, (bar, place) in enumerate(over):
            canvas.addWidget(bar, row, 0, place)
        canvas.setRowStretch(len(over) - 1, 1)
        layout.addLayout(canvas, 1)
        layout.addWidget(self.view_bar)
        return centre

    def _connect(self) -> None:
        self.workspace.noticed.connect(self._on_notice)
        self.desk.model.unsaid.connect(self.notices.withdraw)
        self.workspace.item_shown.connect(self._on_item)
        self.workspace.saved_changed.connect(self._on_saved)
        self.session.failed.connect(self._on_failure)
        self.canvas.gestures.told.connect(lambda text: self._on_notice(Notice("info", text)))
        self.session.shares_changed.connect(self._on_shares)
        self.view.events.map_visible.connect(partial(self._remember, "map_visible"))
        self.view.events.outline_visible.connect(partial(self._remember, "outline_visible"))
        self.overlay.map_shown.connect(lambda shown: setattr(self.canvas, "map_shown", shown))
        self.view_bar.adjusted.connect(self._on_adjusted)
        self.view_bar.fit_asked.connect(self.canvas.fit)
        self.viewer.events.mouse_over_canvas.connect(self._on_over_canvas)
        self.explain.fraction.lineEdit().returnPressed.connect(self.explain.fraction.clearFocus)
        self.empty.open_image.clicked.connect(self.ask_open)
        self.empty.open_folder.clicked.connect(self.ask_open_folder)
        self.empty.open_sample.clicked.connect(self.open_sample)
        self.networks.changed.connect(self.menus.retranslate)
        keys.events.changed.connect(self._on_keys)

    def retranslate(self) -> None:
        """Set every text again in the current language."""
        for part in (
            self.annotate,
            self.explain,
            self.study_panel,
            self.desk,
            self.agreement,
            self.notices,
            self.what_if_banner,
            self.view_bar,
            self.empty,
            self.status,
            self.menus,
            self.key_sheet,
            self.fields,
            self.docks,
            self.comparing,
            self.training,
        ):
            part.retranslate()
        self.qt_viewer.canvas.native.setAccessibleName(_("Image"))

    # What the menus ask for

    def set_language(self, code: str) -> None:
        """Switch all texts and remember the language."""
        set_language(code)
        self.qt_texts.set_language(code)
        self.settings.language = code
        self.retranslate()

    def set_theme(self, theme: str) -> None:
        """Switch the colours of window and canvas and remember the theme."""
        self.settings.theme = theme
        self.viewer.theme = theme
        self.setPalette(palette(theme))
        self.setStyleSheet(stylesheet(theme))

    def open_path(self, path: Path) -> None:
        """Open a study, a folder of images or an image; the next dialogs begin beside it."""
        path = path.absolute()
        if path.name == STUDY_FILE:
            path = path.parent
        self.settings.last_folder = str(path.parent)
        if self._open(path):
            self.settings.remember(path)

    def open_sample(self) -> None:
        """Open the user's own copy of the sample study."""
        try:
            folder = sample_study()
        except AllxaiError as error:
            self._on_notice(Notice("error", str(error)))
        else:
            self._open(folder)

    def ask_open(self) -> None:
        """Let the user choose an image."""
        endings = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))
        kinds = _("Images") + f" ({endings});;" + _("All files") + " (*)"
        self._open_chosen(choose_file(self, _("Open image"), self.settings.last_folder, kinds))

    def ask_open_folder(self) -> None:
        """Let the user choose a folder of images."""
        self._open_chosen(choose_folder(self, _("Open folder"), self.settings.last_folder))

    def _open(self, path: Path) -> bool:
        self.empty.set_opening(True)
        return self.workspace.open(path)

    def _open_chosen(self, name: str) -> None:
        if name:
            self.open_path(Path(name))

    def train(self) -> None:
        """Open the window in which a network is trained."""
        self.training.open()

    def save(self) -> None:
        """Save the mask now."""
        self.workspace.save()

    # What the models tell

    def _on_item(self, _index: int) -> None:
        image = self.workspace.image
        assert image is not None
        with QSignalBlocker(self.view_bar):
            self.view_bar.clear()
        if not self._save_failed:
            # What was said about the image before, or about one that could not be read.
            self.notices.leave()
        self.canvas.show(image)
        self.fields.show_view()
        self.empty.hide()
        self.viewer.canvas.overlays.scale_bar.visible = True
        self.explain.set_pixel_size(image.pixel_size_um)
        self.setWindowTitle(f"{image.name} – AllXAI Desktop")
        self.menus.enable_for_image(True)
        # After what there is to say about the image itself, which follows.
        QTimer.singleShot(0, self.notices.image_shown)

    def _on_saved(self, state: str) -> None:
        if state == "failed":
            self._save_failed = True
        elif state == "saved" and self._save_failed:
            self._save_failed = False
            self.notices.leave()

    def _on_shares(self, shares: dict[str, Any]) -> None:
        self.annotate.set_area_shares({key: share.area_share for key, share in shares.items()})

    def _on_notice(self, notice: Notice) -> None:
        if notice.level == "error":
            self.empty.set_opening(False)
        self.notices.show_notice(notice)

    def _on_failure(self, message: str) -> None:
        before = self.explain.cards.get(self.session.choices.network or "")
        # The network may have been removed by another program.
        self.networks.read_again()
        now = self.explain.cards.get(self.session.choices.network or "")
        if before is not None and now is not None and now.name != before.name:
            message = _("The network “{name}” is not there any more: “{other}” explains now.").format(
                name=before.title, other=now.title
            )
        self.notices.show_notice(Notice("error", message))

    def _on_adjusted(self, _brightness: float, _contrast: float) -> None:
        if self.workspace.image is not None and self.canvas.image_layer is not None:
            self.canvas.image_layer.data = self._adjusted(self.workspace.image.pixels)
            self.what_if_view.refresh()

    def _adjusted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return adjust(pixels, self.view_bar.brightness.value() / 100, self.view_bar.contrast.value() / 100)

    def _remember(self, name: str, shown: bool) -> None:
        # What is hidden while one decides comes back by itself.
        if self.agreement.adjudication is None:
            setattr(self.settings, name, shown)

    def _bind_what_if(self) -> None:
        self.what_if_key = Shortcuts(self, {"what-if": self.what_if.toggle})

    def _on_keys(self) -> None:
        self.annotate.release_keys()
        self.annotate.bind_keys(self)
        self.what_if_key.release()
        self._bind_what_if()
        self.retranslate()

    def _on_over_canvas(self) -> None:
        # Digits choose a class there; what was typed elsewhere is done with.
        for field in (self.explain.fraction, self.study_panel.search):
            field.clearFocus()

    # Window events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        drops.offer(event)

    def dropEvent(self, event: QDropEvent) -> None:
        drops.take(event, self.open_path)

    def closeEvent(self, event: QCloseEvent) -> None:
        saved = saved_first(self)
        if saved is None or not (saved or may_lose_work(self)):
            event.ignore()
            return
        if not self.training.may_close():
            event.ignore()
            return
        self.networks.close()
        keys.events.changed.disconnect(self._on_keys)
        self.training.close()
        self.exchange.close()
        self.docks.save()
        self.analyses.close()
        self.what_if.close()
        self.comparing.close()
        # Who leaves without having it saved does not wait for it.
        self.workspace.close(30 if saved else 0)
        self.desk.close()
        self.agreement.close()
        self.session.close()
        self.study_panel.close_reader()
        self.overlay.release()
        self.what_if_view.close()
        self.what_if_banner.disconnect_model()
        self.explain.disconnect_session()
        self.annotate.disconnect_model()
        self.proposals.close()
        self.fields.close()
        self.pen.close()
        self.canvas.close()
        self.qt_viewer.close()
        self.qt_texts.close()
        super().closeEvent(event)
