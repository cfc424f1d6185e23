"""The menu bar: everything that the window can do, each with its key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from qtpy.QtWidgets import QMenu, QMessageBox

from allxai_desktop import __version__
from allxai_desktop.app.log import log_file
from allxai_desktop.app.theme import THEMES
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import LANGUAGES, N_, _, language
from allxai_desktop.keys import KEYS, MAC, in_menu
from allxai_desktop.painting.engine import TOOLS
from napari_allxai_annotate.clean_menu import CleanMenu

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

WHERE_PX = 320
"""The most room that the folder of something opened before has in the menu."""
THEME_TITLES = {"dark": N_("Dark"), "light": N_("Light")}


class Menus:
    """Builds the menus of a window anew in the language of the moment."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self._for_image: list[QAction] = []
        self._has_image = False

    def enable_for_image(self, enabled: bool) -> None:
        """Allow or forbid what needs an image."""
        self._has_image = enabled
        for action in self._for_image:
            action.setEnabled(enabled)

    def retranslate(self) -> None:
        """Build the menus again in the current language."""
        bar = self.window.menuBar()
        # Cleared only, the old menus would live on with their shortcuts.
        for action in bar.actions():
            menu = action.menu()
            if isinstance(menu, QMenu):
                menu.deleteLater()
        bar.clear()
        self._for_image = []
        for build in (
            self._file,
            self._edit,
            self._view,
            self._annotate,
            self._study,
            self._explain,
            self._train,
            self._help,
        ):
            build()
        self.enable_for_image(self._has_image)

    def _menu(self, title: str) -> QMenu:
        menu = self.window.menuBar().addMenu(title)
        menu.setToolTipsVisible(True)
        return menu

    def _add(
        self, menu: QMenu, text: str, call: Callable[[], object], key: str = "", *, for_image: bool = False
    ) -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(lambda: call())
        if key:
            action.setShortcuts([QKeySequence(text) for text in KEYS[key].sequences])
            if not MAC:
                # Qt's own names of the keys are not those on them.
                action.setText(in_menu(text, KEYS[key].shown))
        if for_image:
            self._for_image.append(action)
        return action

    def _add_hint(self, menu: QMenu, text: str, call: Callable[[], object], key_name: str) -> QAction:
        # The panel owns the key itself: a second shortcut on it would make both ambiguous.
        return self._add(menu, in_menu(text, KEYS[key_name].shown), call, for_image=True)

    @staticmethod
    def _check(menu: QMenu, action: QAction, checked: Callable[[], bool]) -> None:
        action.setCheckable(True)
        menu.aboutToShow.connect(lambda: action.setChecked(checked()))

    def _file(self) -> None:
        window, menu = self.window, self._menu(_("&File"))
        self._add(menu, _("Open image…"), window.ask_open, "open-image")
        self._add(menu, _("Open folder…"), window.ask_open_folder, "open-folder")
        recent = menu.addMenu(_("Open recent"))
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        menu.aboutToShow.connect(lambda: recent.setEnabled(bool(window.settings.recent)))
        self._add(menu, _("Open the sample study"), window.open_sample)
        menu.addSeparator()
        self._add(menu, _("Save the mask"), window.save, "save", for_image=True)
        take = self._add(menu, _("Take over this image"), window.workspace.take_over)
        take.setToolTip(_("Paint in the mask that somebody else holds, who goes on in a copy"))
        menu.aboutToShow.connect(lambda: take.setEnabled(window.workspace.holder is not None))
        self._add(menu, _("Export mask…"), window.exchange.export_mask, "export", for_image=True)
        menu.addSeparator()
        self._add(menu, _("Import masks…"), window.exchange.import_masks, for_image=True)
        self._add(menu, _("Export study…"), window.exchange.export_study, for_image=True)
        menu.addSeparator()
        # On macOS these two are in the menu of the program, which Qt finds by English words alone.
        self._add(menu, _("Quit"), window.close, "quit").setMenuRole(QAction.MenuRole.QuitRole)

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for path in map(Path, self.window.settings.recent):
            where = menu.fontMetrics().elidedText(str(path.parent), Qt.TextElideMode.ElideMiddle, WHERE_PX)
            # The folder stands where other entries have their key.
            text = in_menu(path.name or str(path), where).replace("&", "&&")
            self._add(menu, text, partial(self.window.open_path, path))

    def _edit(self) -> None:
        menu = self._menu(_("&Edit"))
        self._add_hint(menu, _("Undo"), self.window.canvas.undo, "undo")
        self._add_hint(menu, _("Redo"), self.window.canvas.redo, "redo")

    def _view(self) -> None:
        window, menu = self.window, self._menu(_("&View"))
        self._add(menu, _("Next image"), partial(window.workspace.step, 1), "next-image")
        self._add(menu, _("Previous image"), partial(window.workspace.step, -1), "previous-image")
        self._add(menu, _("Fit the image"), window.canvas.fit, "fit", for_image=True)
        field = self._add(
            menu, _("Field with white cells"), window.fields.model.toggle, "field", for_image=True
        )
        self._check(menu, field, lambda: window.fields.model.active)
        menu.addSeparator()
        for text, owner, name, key in (
            (_("Relevance map"), window.view, "map_visible", "map"),
            (_("Outline of the relevant pixels"), window.view, "outline_visible", "relevant-outline"),
        ):
            action = self._add(menu, text, partial(_toggle, owner, name), key, for_image=True)
            self._check(menu, action, partial(getattr, owner, name))
        menu.addSeparator()
        menu.addAction(window.docks.study.toggleViewAction())
        menu.addAction(window.docks.panels.toggleViewAction())
        menu.addAction(window.docks.layers.toggleViewAction())
        menu.addSeparator()
        self._choice(
            menu.addMenu(_("Theme")),
            [(name, _(THEME_TITLES[name])) for name in THEMES],
            lambda: window.settings.theme,
            window.set_theme,
        )
        # The languages name themselves, so that they are found from any language.
        self._choice(
            menu.addMenu("Language / Idioma"), list(LANGUAGES.items()), language, window.set_language
        )

    def _annotate(self) -> None:
        window, menu = self.window, self._menu(_("&Annotate"))
        for cls in CLASSES:
            action = self._add_hint(
                menu, cls.title, partial(setattr, window.paint, "active", cls.code), f"class-{cls.code}"
            )
            self._check(menu, action, lambda code=cls.code: window.paint.active == code)  # type: ignore[misc]
        menu.addSeparator()
        for name in TOOLS:
            action = self._add_hint(
                menu, _(KEYS[name].title), partial(setattr, window.paint, "tool", name), name
            )
            self._check(menu, action, lambda tool=name: window.paint.tool == tool)  # type: ignore[misc]
        proposal = menu.addMenu(_("Proposal"))
        for key, call in window.proposals.ghost.actions().items():
            self._add_hint(proposal, _(KEYS[key].title), call, key)
        clean = CleanMenu(window.annotate.cleaner, menu)
        clean.setTitle(_("Clean up"))
        clean.retranslate()
        self._for_image.append(menu.addMenu(clean))
        menu.aboutToShow.connect(lambda: clean.setEnabled(self._has_image and not window.what_if.active))
        menu.addSeparator()
        swap = KEYS["swap"].title
        self._add_hint(menu, _(swap), window.paint.swap_active, "swap")

    def _study(self) -> None:
        desk, menu = self.window.desk, self._menu(_("&Study"))
        self._add_hint(menu, _("Submit and next image"), desk.model.enter, "submit")
        menu.addSeparator()
        self._add_hint(menu, _("Approve"), desk.model.approve, "approve")
        self._add_hint(menu, _("Return with a comment…"), desk.start_return, "return")
        menu.addSeparator()
        self._add(menu, _("New study from images…"), desk.images.into_new)
        self._add(menu, _("Take images into this study…"), desk.images.into_this, for_image=True)
        menu.addSeparator()
        self._add(menu, _("Who are you…"), desk.model.person_asked.emit)
        self._add(menu, _("Agreement…"), self.window.agreement.open, "agreement", for_image=True)
        self._add(menu, _("Audit trail…"), desk.show_trail, for_image=True)

    def _explain(self) -> None:
        window, menu = self.window, self._menu(_("E&xplain"))
        networks = [(name, card.title) for name, card in window.explain.cards.items()]
        self._choice(
            menu.addMenu(_("Network")),
            networks,
            lambda: window.session.choices.network,
            lambda name: window.session.choose(network=name),
        )
        self._choice(
            menu.addMenu(_("Explainer")),
            [(name, _(info.title)) for name, info in EXPLAINERS.items()],
            lambda: window.session.choices.explainer,
            lambda name: window.session.choose(explainer=name),
        )
        self._add(menu, _("Compare…"), window.comparing.open, "compare", for_image=True)

        action = self._add_hint(menu, _("What if"), window.what_if.toggle, "what-if")
        self._check(menu, action, lambda: window.what_if.active)

    def _train(self) -> None:
        menu = self._menu(_("&Train"))
        self._add(menu, _("Train a network…"), self.window.train, "train")

    def _help(self) -> None:
        menu = self._menu(_("&Help"))
        self._add(menu, _("Keys"), self.window.key_sheet.toggle, "keys")
        self._add(menu, _("Program log"), self.show_log)
        about = self._add(menu, _("About AllXAI Desktop"), self.show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)

    def show_log(self) -> None:
        """Open the log in the system's own program, or its folder where nothing was written yet."""
        path = log_file()
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if path.is_file() else path.parent)))

    def show_about(self) -> None:
        """Say what the program is and what it is not."""
        QMessageBox.about(
            self.window,
            _("About AllXAI Desktop"),
            f"<b>AllXAI Desktop {__version__}</b><p>"
            + _("Ground truth, explanations and relevance by class for images of blood cells.")
            + "</p><p>"
            + _("A research tool, not a medical device: do not use it to diagnose.")
            + "</p>",
        )

    def _choice(
        self,
        menu: QMenu,
        rows: list[tuple[str, str]],
        current: Callable[[], str | None],
        choose: Callable[[str], object],
    ) -> None:
        group = QActionGroup(menu)
        actions = {}
        for name, title in rows:
            actions[name] = self._add(menu, title, partial(choose, name))
            actions[name].setCheckable(True)
            group.addAction(actions[name])

        def show() -> None:
            chosen = current()
            for name, action in actions.items():
                action.setChecked(name == chosen)

        menu.aboutToShow.connect(show)


def _toggle(owner: object, name: str) -> None:
    setattr(owner, name, not getattr(owner, name))
