"""Who works here: a pseudonym and a role, asked for where it is shown, without stopping anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.study.people import MAX_NAME, ROLE_TITLES, ROLES, Person

if TYPE_CHECKING:
    from allxai_desktop.study.study_model import StudyModel

WITHIN = Qt.ShortcutContext.WidgetWithChildrenShortcut


class WhoRow(QWidget):
    """Shows and changes the person of a `StudyModel`; `remember` keeps who was said for the next time."""

    def __init__(self, study: StudyModel, remember: Callable[[Person], None]) -> None:
        super().__init__()
        self.study = study
        self._remember = remember
        self.shown = QPushButton(flat=True)
        self.form = QWidget()
        self.name = QLineEdit(maxLength=MAX_NAME)
        self.role = QComboBox()
        self.done = QPushButton()
        self.problem = QLabel(wordWrap=True, objectName="warning")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.role, 1)
        row.addWidget(self.done)
        fields = QVBoxLayout(self.form)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(3)
        fields.addWidget(self.name)
        fields.addLayout(row)
        fields.addWidget(self.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.shown)
        layout.addWidget(self.form)
        self.form.hide()
        self.problem.hide()
        self.shown.setStyleSheet("text-align: left; padding: 3px 4px;")
        self.shown.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.shown.clicked.connect(lambda: self.ask())
        self.done.clicked.connect(lambda: self._take())
        # Return is the large key, Enter the one of the number block.
        for key in ("Return", "Enter"):
            QShortcut(QKeySequence(key), self.form, context=WITHIN).activated.connect(self._take)
        for part in (self.name, self.role, self.done):
            part.installEventFilter(self)
        study.person_changed.connect(self._show)
        study.person_asked.connect(self.ask)
        self.retranslate()

    def ask(self) -> None:
        """Open the fields, the name in hand."""
        person = self.study.person
        self.name.setText(person.name if person else "")
        self.role.setCurrentIndex(ROLES.index(person.role) if person else 0)
        self.problem.hide()
        self.form.show()
        self.shown.hide()
        self.name.setFocus()
        self.name.selectAll()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        chosen = max(self.role.currentIndex(), 0)
        self.role.clear()
        self.role.addItems([_(ROLE_TITLES[role]) for role in ROLES])
        self.role.setCurrentIndex(chosen)
        self.role.setAccessibleName(_("Your role"))
        self.role.setToolTip(_("A reviewer approves what others submitted, or returns it"))
        self.name.setPlaceholderText(_("Pseudonym, such as A07"))
        self.name.setAccessibleName(_("Your pseudonym"))
        self.name.setToolTip(_("Never your real name: it goes into the masks and the audit trail"))
        self.done.setText(_("OK"))
        self.shown.setToolTip(_("Who works here: click to change"))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the row goes away."""
        self.study.person_changed.disconnect(self._show)
        self.study.person_asked.disconnect(self.ask)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # While What if is on, Esc is also a key of the window, and of two shortcuts Qt calls neither.
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
            elif event.type() == QEvent.Type.KeyPress:
                self._leave()
                return True
        return super().eventFilter(watched, event)

    def _leave(self) -> None:
        for part in (self.name, self.role, self.done):
            # Hidden with the keyboard in it, Qt would hand that to the next widget, where Space chooses a class.
            part.clearFocus()
        self.form.hide()
        self.shown.show()

    def _take(self) -> None:
        try:
            person = Person(self.name.text().strip(), ROLES[self.role.currentIndex()])
        except AllxaiError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self._remember(person)
        self.study.person = person
        self._leave()
        self._show()

    def _show(self, *_changed: object) -> None:
        person = self.study.person
        self.shown.setText(f"{person.name} · {_(ROLE_TITLES[person.role])}" if person else _("Who are you?"))
