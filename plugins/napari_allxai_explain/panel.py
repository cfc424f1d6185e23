"""The explain panel: what is asked of which network, its prediction, and the relevance of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.analyses.verdicts import map_doubt
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from allxai_desktop.overlay import AUTO, COLORMAP_TITLES
from allxai_desktop.relevance import RULE_TITLES
from allxai_desktop.session import Demand
from napari_allxai_explain.demand import DemandRow
from napari_allxai_explain.explainer_rows import explainer_rows, with_twins
from napari_allxai_explain.prediction import PredictionBars
from napari_allxai_explain.shares_table import SharesTable
from napari_allxai_widgets.choice_box import ChoiceBox

if TYPE_CHECKING:
    from allxai_desktop.networks.card import Card
    from allxai_desktop.session import Choices, Result, Session
    from napari_allxai_explain.view import ExplainView

# A result that is awaited for longer is shown as outdated.
PATIENCE_MS = 250


class Page(QWidget):
    """What a tab of the explain panel holds."""

    def retranslate(self) -> None:
        """Set the texts again in the current language."""


class ExplainPanel(QWidget):
    """Shows and changes a `Session` and an `ExplainView`; holds no state of its own.

    Below the prediction are tabs: the relevance by class, and what `add_tab` brings.
    """

    def __init__(self, session: Session, view: ExplainView, cards: Sequence[Card]) -> None:
        super().__init__()
        self.session = session
        self.view = view
        self.cards = {card.name: card for card in cards}
        self._twin: str | None = None
        self._build()
        self._connect()
        self.retranslate()
        self.table.shares.set_shares(session.shares)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        for control, name, tip in (
            (
                self.compare,
                _("Compare…"),
                _("Explainers and networks side by side, in a window of their own")
                + f" ({KEYS['compare'].shown})",
            ),
            (self.live, _("Live"), _("Follow every change at once")),
            (self.network, _("Network"), _("The network that predicts and is explained")),
            (self.explainer, _("Explainer"), _("The method that makes the relevance map")),
            (self.target, _("Target class"), _("The class whose relevance is shown")),
            (self.rule, _("Rule"), _("Which pixels count as relevant")),
            (
                self.fraction,
                _("Fraction of the pixels"),
                _("How many of the strongest pixels count as relevant"),
            ),
            (self.colormap, _("Colours"), _("Colours of the relevance map; no number changes")),
            (self.opacity, _("Opacity of the map"), _("Opacity of the relevance map")),
            (
                self.map,
                _("Map"),
                _("Show or hide the relevance map") + f" ({KEYS['map'].shown})",
            ),
            (
                self.outline,
                _("Outline"),
                _("Show or hide the outline of the relevant pixels") + f" ({KEYS['relevant-outline'].shown})",
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        self.title.setText(_("Explain"))
        self.compare.setText(_("Compare…"))
        self.live.setText(_("Live"))
        self.map.setText(_("Map"))
        self.outline.setText(_("Outline"))
        self.rule_label.setText(_("Rule"))
        self.demand.retranslate()
        self.bars.retranslate()
        self.table.retranslate()
        self.tabs.setTabText(0, _("Relevance"))
        for number, (title, page) in enumerate(self._pages, start=1):
            self.tabs.setTabText(number, _(title))
            page.retranslate()
        self._show_choices(self.session.choices)
        self._show_result(self.session.result)
        self._show_view()

    def add_tab(self, title: str, page: Page) -> None:
        """Add `page` under `title`, an English text marked for translation."""
        self._pages.append((title, page))
        area = QScrollArea(
            widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        # What is in it takes the keyboard, and scrolls it into sight.
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(page)
        self.tabs.addTab(area, _(title))

    def set_networks(self, cards: Sequence[Card]) -> None:
        """Offer these networks; where the chosen one is no longer among them, the first one is chosen."""
        # In place: the tabs read the same.
        self.cards.clear()
        self.cards.update({card.name: card for card in cards})
        if self.session.choices.network not in self.cards:
            self.session.choose(network=next(iter(self.cards), None))
        self._show_choices(self.session.choices)

    def show_twin(self, reason: str | None) -> None:
        """Show LRP-z and Gradient × Input as one explainer, for the `reason` given; None where they are two."""
        if reason != self._twin:
            self._twin = reason
            self._show_choices(self.session.choices)

    def show_tab(self, page: Page) -> None:
        """Bring the tab of `page` to the front."""
        self.tabs.setCurrentIndex(1 + [own for _title, own in self._pages].index(page))

    def set_pixel_size(self, pixel_size_um: float | None) -> None:
        """Show areas in µm² too where the side of a pixel is known."""
        self.table.set_pixel_size(pixel_size_um)

    def _build(self) -> None:
        self.title = QLabel(objectName="panelTitle")
        self.compare = QPushButton()
        self.live = QCheckBox(checked=self.session.live)
        self.network = ChoiceBox()
        self.explainer = ChoiceBox()
        self.target = ChoiceBox()
        # A long class takes room from it.
        self.explainer.setMinimumContentsLength(5)
        # Before the row of an explainer on demand is there, and below after it has gone.
        self.session.choices_changed.connect(self._before_demand)
        self.demand = DemandRow(self.session)
        self._parts: set[QWidget] = set()
        self.warning = QLabel(objectName="warning", wordWrap=True)
        self.warning.hide()
        self.bars = PredictionBars()
        self.message = QLabel(objectName="message", wordWrap=True)
        self.message.hide()
        self.table = SharesTable()
        self.rule_label = QLabel()
        self.rule = ChoiceBox()
        self.fraction = QDoubleSpinBox(minimum=0.1, maximum=99.9, decimals=1, singleStep=1.0, suffix=" %")
        self.map = QCheckBox()
        self.colormap = ChoiceBox()
        self.opacity = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=100)
        self.outline = QCheckBox()
        self.tabs = QTabWidget(documentMode=True)
        self._pages: list[tuple[str, Page]] = []

        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch()
        head.addWidget(self.compare)
        head.addWidget(self.live)
        self._choices = choices = QGridLayout(horizontalSpacing=6, verticalSpacing=4)
        choices.addWidget(self.network, 0, 0, 1, 2)
        choices.addWidget(self.explainer, 1, 0)
        choices.addWidget(self.target, 1, 1)
        foot = QGridLayout(horizontalSpacing=6, verticalSpacing=4)
        foot.addWidget(self.rule_label, 0, 0)
        rule_row = QHBoxLayout()
        rule_row.addWidget(self.rule, 1)
        rule_row.addWidget(self.fraction)
        foot.addLayout(rule_row, 0, 1, 1, 3)
        foot.addWidget(self.map, 1, 0)
        foot.addWidget(self.colormap, 1, 1)
        foot.addWidget(self.opacity, 1, 2)
        foot.addWidget(self.outline, 1, 3)
        foot.setColumnStretch(2, 1)
        relevance = QWidget()
        page = QVBoxLayout(relevance)
        page.setContentsMargins(0, 4, 0, 0)
        page.addWidget(self.table)
        page.addLayout(foot)
        page.addStretch()
        self.tabs.addTab(relevance, "")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        for part in (head, choices, self.demand, self.warning, self.bars, self.message):
            if isinstance(part, QWidget):
                layout.addWidget(part)
            else:
                layout.addLayout(part)
        layout.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        self._stale = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._stale.timeout.connect(lambda: self.bars.set_stale(True))
        session, view = self.session, self.view
        self.live.toggled.connect(session.set_live)
        self.live.toggled.connect(self._show_message)
        for combo, name in (
            (self.network, "network"),
            (self.target, "target"),
            (self.rule, "rule"),
        ):
            combo.activated.connect(lambda _row, c=combo, n=name: session.choose(**{n: c.value}))
        self.explainer.activated.connect(self._choose_explainer)
        self.fraction.valueChanged.connect(lambda value: session.choose(q=value / 100))
        self.colormap.activated.connect(self._choose_colormap)
        self.opacity.valueChanged.connect(lambda value: setattr(view, "opacity", value / 100))
        self.map.toggled.connect(lambda on: setattr(view, "map_visible", on))
        self.outline.toggled.connect(lambda on: setattr(view, "outline_visible", on))
        session.choices_changed.connect(self._show_choices)
        session.result_changed.connect(self._show_result)
        session.shares_changed.connect(self.table.shares.set_shares)
        session.busy_changed.connect(self._on_busy)
        session.demand_changed.connect(self._on_demand)
        session.failed.connect(self._show_failure)
        view.events.connect(self._show_view)

    def disconnect_session(self) -> None:
        """Stop following; called before the panel goes away."""
        session = self.session
        session.choices_changed.disconnect(self._show_choices)
        session.result_changed.disconnect(self._show_result)
        session.shares_changed.disconnect(self.table.shares.set_shares)
        session.busy_changed.disconnect(self._on_busy)
        session.demand_changed.disconnect(self._on_demand)
        session.failed.disconnect(self._show_failure)
        session.choices_changed.disconnect(self._before_demand)
        self.demand.disconnect_session()
        self.view.events.disconnect(self._show_view)

    def _choose_explainer(self) -> None:
        name, settings = self.explainer.value
        self.session.choose(explainer=name, settings=settings)

    def _choose_colormap(self) -> None:
        name = self.colormap.value
        self.view.colormap = name
        # The papers' colours are also what their rule counts; the uniform ones leave the rule as published.
        self.session.choose(colormap=None if name == AUTO else name)

    def _show_choices(self, choices: Choices) -> None:
        self.network.fill(
            ((name, card.title, card.domain_description) for name, card in self.cards.items()),
            choices.network,
        )
        if not self.cards:
            self.network.setPlaceholderText(_("No trained network found"))
        # The settings of an explainer on demand are in its row, not among the variants.
        on_demand = EXPLAINERS[choices.explainer].on_demand
        if not on_demand:
            self._leave_room(self.demand)
        variant = () if on_demand else choices.settings
        rows = explainer_rows()
        if self._twin is not None and not variant:
            rows = with_twins(rows, choices.explainer, self._twin)
        self.explainer.fill(rows, (choices.explainer, variant))
        self.rule.fill(((name, _(title), "") for name, title in RULE_TITLES.items()), choices.rule)
        self._fill_target()
        self.fraction.setVisible(choices.rule == "top-q")
        with QSignalBlocker(self.fraction):
            self.fraction.setValue(100 * choices.q)
        self._show_message()

    def showEvent(self, event: QShowEvent) -> None:
        """Part the row of the choices again: only now has it the font and the frames of the style."""
        super().showEvent(event)
        self._fill_target()

    def _fill_target(self) -> None:
        choices, card = self.session.choices, self.cards.get(self.session.choices.network or "")
        classes = [(key, card.class_title(key), "") for key in card.classes] if card else []
        predictions = {key: _("Predicted: {name}").format(name=title) for key, title, _tip in classes}
        predicted = _("Predicted class")
        result = self.session.result
        if result and result.choices.network == choices.network:
            predicted = predictions.get(result.explanation.prediction.predicted, predicted)
        self.target.fill([(None, predicted, ""), *classes], choices.target)
        # The row is parted by what is to be read in it, so that it stays as it is from image to image.
        longest = max(map(self.target.width_for, (predicted, *predictions.values())))
        self._choices.setColumnStretch(0, self.explainer.width_for(self.explainer.currentText()))
        self._choices.setColumnStretch(1, longest)

    def _show_result(self, result: Result | None) -> None:
        self._fill_target()
        doubt = None if result is None else result.domain_warning or map_doubt(result.explanation)
        self._show_message()
        if result is None:
            self._show_part(self.warning, False)
            self.bars.show_probabilities({})
            return
        card = self.cards.get(result.choices.network or "")
        probabilities = result.explanation.prediction.probabilities
        # Of a network that was removed the result stays until the next one is there.
        shares = {card.class_title(key) if card else key: share for key, share in probabilities.items()}
        self.bars.show_probabilities(shares)
        self.warning.setText(f"⚠ {doubt}")
        self.warning.setToolTip(card.domain_description if card and result.domain_warning else "")
        self._show_part(self.warning, bool(doubt))

    def _show_message(self, *_event: object) -> None:
        session = self.session
        result, text = session.result, ""
        # The row of the explainer on demand says by itself that the map is to be computed.
        waiting = session.demand is not Demand.NONE
        if session.outdated:
            text = _(
                "Live is off: what is shown was made with the choices before. Switch it on to follow them."
            )
        elif result is not None:
            text = "" if waiting else result.explanation.undefined or ""
        elif session.image is not None and not (session.live or waiting):
            text = _("Live is off: switch it on to explain this image.")
        self.message.setText(text)
        self._show_part(self.message, bool(text))
        if not session.busy:
            self.bars.set_stale(session.outdated)

    def _on_busy(self, busy: bool) -> None:
        # Most answers come before anybody could read that they are on their way, and a repaint of the window
        # takes time from the computation. The prediction stands while a map on demand is computed.
        if busy and self.session.demand is not Demand.COMPUTING:
            self._stale.start()
        else:
            self._stale.stop()
            self.bars.set_stale(self.session.outdated)

    def _on_demand(self, demand: Demand) -> None:
        if demand is Demand.COMPUTING:
            self._show_part(self.message, False)

    def _show_failure(self, message: str) -> None:
        self.message.setText(message)
        self._show_part(self.message, True)

    def _before_demand(self, choices: Choices) -> None:
        if EXPLAINERS[choices.explainer].on_demand:
            self._take_room(self.demand)

    def _show_part(self, part: QWidget, shown: bool) -> None:
        """Show a part or hide it. At no time are all rows of the prediction there too: the window would grow."""
        if shown:
            self._take_room(part)
        part.setVisible(shown)
        if not shown:
            self._leave_room(part)

    def _take_room(self, part: QWidget) -> None:
        self._parts.add(part)
        self.bars.give_room(len(self._parts))

    def _leave_room(self, part: QWidget) -> None:
        self._parts.discard(part)
        self.bars.give_room(len(self._parts))

    def _show_view(self, *_event: object) -> None:
        self.colormap.fill(
            ((name, _(title), "") for name, title in COLORMAP_TITLES.items()), self.view.colormap
        )
        with QSignalBlocker(self.opacity), QSignalBlocker(self.map), QSignalBlocker(self.outline):
            self.opacity.setValue(round(100 * self.view.opacity))
            self.map.setChecked(self.view.map_visible)
            self.outline.setChecked(self.view.outline_visible)
