"""The grid of a comparison: explainers down, networks across, the image beside them."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont, QFontMetrics, QPixmap, QResizeEvent
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.analyses.grid import GRADIENT_X_INPUT, Cell, Grid, Method
from allxai_desktop.cellclasses import BY_CODE
from allxai_desktop.i18n import _
from allxai_desktop.overlay import underlay
from napari_allxai_explain.compare_cell import (
    CellView,
    Limits,
    RowScale,
    SharesStrip,
    map_picture,
    outline_paths,
)
from napari_allxai_explain.linked_view import LinkedView
from napari_allxai_widgets.drawing import pixmap
from napari_allxai_widgets.scrolling import ScrollColumn
from napari_allxai_widgets.tips import wrapped

SPACING = 6
SIDES = (130, 520)
# More rows than are seen at once show that they go on.
VISIBLE_ROWS = 2.3


class ComparisonGrid(QWidget):
    """Shows a `Grid` and its cells as they come; all pictures share one `LinkedView`."""

    def __init__(self) -> None:
        super().__init__()
        self.link = LinkedView()
        self.grid: Grid | None = None
        self.views: dict[tuple[str, Method], CellView] = {}
        self.strips: dict[tuple[str, Method], SharesStrip] = {}
        self.scales: dict[Method, RowScale] = {}
        self.heads: dict[str, QLabel] = {}
        self.row_heads: dict[Method, QLabel] = {}
        self._limits: dict[tuple[str, Method], Limits] = {}
        self._under = QPixmap()
        self._build()
        self.link.changed.connect(self._show_cursor)

    def _build(self) -> None:
        self.source_head = _head()
        self.source = CellView(self.link)
        self.areas = SharesStrip()
        self.at_cursor = QLabel(wordWrap=True)
        self.warning = QLabel(wordWrap=True, objectName="warning", textFormat=Qt.TextFormat.PlainText)
        self.warning.hide()
        self.hint = QLabel(wordWrap=True, objectName="research")
        column = QWidget()
        side = QVBoxLayout(column)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(SPACING)
        for widget in (self.source_head, self.source, self.areas, self.at_cursor, self.warning, self.hint):
            side.addWidget(widget)
        side.addStretch()
        beside = ScrollColumn(column)
        beside.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.header = _bare_area()
        self.header.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.header.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body = _bare_area()
        # Always there: a bar that comes and goes would change the size of the pictures and so itself.
        self.body.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.body.horizontalScrollBar().valueChanged.connect(self.header.horizontalScrollBar().setValue)
        main = QVBoxLayout()
        main.setSpacing(SPACING)
        main.addWidget(self.header)
        main.addWidget(self.body, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(beside)
        layout.addLayout(main, 1)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.hint.setText(_("The wheel zooms and a drag moves all pictures; a double click shows all again."))
        self.source.setAccessibleName(_("Image"))
        self.areas.setAccessibleName(_("Share of the area of each class"))
        self.show_grid(self.grid)

    def release(self) -> None:
        """Stop following; called before the widget goes away."""
        self._empty()
        self.source.release()
        self.link.changed.disconnect(self._show_cursor)

    # A grid, and each of its cells

    def show_grid(self, grid: Grid | None) -> None:
        """Show what is ready of `grid`."""
        self._empty()
        self.grid = grid
        if grid is None:
            return
        height, width = grid.pixels.shape[:2]
        title = _("Image and mask") if grid.labelled else _("Image")
        self.source_head.setText(f"<b>{title}</b>")
        self.source.set_image_size(height, width)
        self.source.outlines = outline_paths(grid.codes)
        self.source.show_layers([pixmap(grid.pixels)])
        self.areas.set_shares(grid.areas if grid.labelled else {}, relevance=False)
        self._under = pixmap(underlay(grid.pixels))
        self._fill_header(grid)
        self._fill_body(grid)
        for cell in list(grid.cells.values()):
            self.show_cell(cell)
        self._resize()

    def show_cell(self, cell: Cell) -> None:
        """Show a cell that has become ready; the scale of its row may change for the others too."""
        if self.grid is None or (cell.network, cell.method) not in self.views:
            return
        key = cell.network, cell.method
        self._show_head(cell.network)
        self._fit_heads()
        self.strips[key].set_shares(cell.shares)
        if cell.problem is not None:
            self.views[key].show_message(cell.problem)
        for other in self.grid.row(cell.method):
            self._draw(other)
        choices = self.grid.choices
        self.scales[cell.method].show_scale(
            self.grid.scale_labels(cell.method), choices.colormap, choices.centred(cell.method)
        )
        doubts = self.grid.map_doubts(cell.method)
        if doubts:
            head = self.row_heads[cell.method]
            head.setText(f"<b>⚠ {escape(cell.method.title)}</b>")
            head.setToolTip(wrapped("\n\n".join([_(cell.method.info.summary), *doubts])))
        if cell.twin:
            self.views[key].setToolTip(wrapped(cell.twin))
            self._merge_twins()

    def stop_waiting(self) -> None:
        """Say in the cells that are not ready that nothing comes any more."""
        for key, view in self.views.items():
            if self.grid is not None and key not in self.grid.cells:
                view.show_message(_("Not computed"))

    def _merge_twins(self) -> None:
        """Show explainers that are the same on every network as one row."""
        assert self.grid is not None
        for twin in self.grid.twins:
            row = [self.row_heads[twin], self.scales[twin]]
            row += [part[card.name, twin] for card in self.grid.cards for part in (self.views, self.strips)]
            for widget in row:
                widget.hide()
        head = self.row_heads[GRADIENT_X_INPUT]
        head.setText(f"<b>{escape(self.grid.title(GRADIENT_X_INPUT))}</b>")
        if self.grid.twins:
            head.setToolTip(wrapped("\n".join(self.grid.twin_notes())))

    def _draw(self, cell: Cell) -> None:
        assert self.grid is not None
        key, limits = (cell.network, cell.method), self.grid.limits(cell)
        relevance = cell.explanation.relevance if cell.explanation else None
        if relevance is None or limits is None or self._limits.get(key) == limits:
            return
        self._limits[key] = limits
        choices = self.grid.choices
        drawn = map_picture(relevance, limits, choices.colormap, choices.centred(cell.method))
        self.views[key].show_layers([self._under, drawn], relevance)

    def _show_head(self, network: str) -> None:
        assert self.grid is not None
        card = next(card for card in self.grid.cards if card.name == network)
        head, warning = self.heads[network], self.grid.warning(network)
        title, *rest = (escape(line) for line in self.grid.head(network))
        head.setText("<br>".join([f"<b>{title}</b>", *rest]))
        head.setToolTip(wrapped("\n\n".join(filter(None, [card.title, warning]))))
        warnings = [(card.title, self.grid.warning(card.name)) for card in self.grid.cards]
        self.warning.setText("\n".join(f"⚠ {title}: {text}" for title, text in warnings if text))
        self.warning.setVisible(bool(self.warning.text()))

    def _show_cursor(self) -> None:
        text = ""
        if self.grid is not None and self.link.cursor is not None:
            x, y = self.link.cursor
            height, width = self.grid.codes.shape
            code = int(self.grid.codes[int(y * height), int(x * width)])
            name = BY_CODE[code].title if code in BY_CODE else _("Unlabelled")
            text = _("At the cursor: {name}").format(name=name)
        self.at_cursor.setText(text)

    # Widgets and their sizes

    def _empty(self) -> None:
        for view in self.views.values():
            view.release()
        self.views, self.strips, self.scales, self.heads, self._limits = {}, {}, {}, {}, {}
        self.row_heads = {}
        for area in (self.header, self.body):
            old = area.takeWidget()
            if old is not None:
                old.deleteLater()

    def _fill_header(self, grid: Grid) -> None:
        content = QWidget()
        layout = _row_layout(content)
        layout.addWidget(_spacer(self._row_head_width()), 0, 0)
        for column, card in enumerate(grid.cards, start=1):
            self.heads[card.name] = _head()
            layout.addWidget(self.heads[card.name], 0, column, Qt.AlignmentFlag.AlignBottom)
            self._show_head(card.name)
        layout.addWidget(_spacer(RowScale.WIDTH), 0, len(grid.cards) + 1)
        layout.setColumnStretch(len(grid.cards) + 2, 1)
        self.header.setWidget(content)

    def _fill_body(self, grid: Grid) -> None:
        content = QWidget()
        layout = _row_layout(content)
        for number, method in enumerate(grid.choices.methods):
            head = QLabel(f"<b>{escape(method.title)}</b>", wordWrap=True)
            head.setToolTip(wrapped(_(method.info.summary)))
            head.setFixedWidth(self._row_head_width())
            self.row_heads[method] = head
            layout.addWidget(head, 2 * number, 0)
            for column, card in enumerate(grid.cards, start=1):
                key = card.name, method
                self.views[key] = CellView(self.link)
                self.views[key].set_image_size(*grid.pixels.shape[:2])
                self.views[key].show_message("…")
                self.views[key].setAccessibleName(f"{method.title}, {card.title}")
                self.strips[key] = SharesStrip()
                layout.addWidget(self.views[key], 2 * number, column)
                layout.addWidget(self.strips[key], 2 * number + 1, column)
            self.scales[method] = RowScale()
            layout.addWidget(self.scales[method], 2 * number, len(grid.cards) + 1)
        layout.setColumnStretch(len(grid.cards) + 2, 1)
        layout.setRowStretch(2 * len(grid.choices.methods), 1)
        self.body.setWidget(content)

    def _row_head_width(self) -> int:
        """As wide as the longest word in the names of the explainers."""
        assert self.grid is not None
        bold = QFont(self.font())
        bold.setBold(True)
        words = [word for method in self.grid.choices.methods for word in method.title.split()]
        return max((QFontMetrics(bold).horizontalAdvance(word) for word in words), default=0) + 10

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._resize()

    def _resize(self) -> None:
        if self.grid is None:
            return
        size = self.cell_size()
        for view in (self.source, *self.views.values()):
            view.setFixedSize(size)
        # The strip of an image without a mask is empty.
        for strip in (self.areas, *self.strips.values()):
            strip.setFixedSize(size.width(), SharesStrip.HEIGHT if self.grid.labelled else 0)
        for label in (self.source_head, *self.heads.values(), self.at_cursor, self.warning, self.hint):
            label.setFixedWidth(size.width())
        self._fit_heads()

    def _fit_heads(self) -> None:
        """Give all heads the height of the tallest, which grows with the predictions."""
        width = self.source_head.width()
        tallest = max(
            (head.heightForWidth(width) for head in (self.source_head, *self.heads.values())),
            default=0,
        )
        self.source_head.setFixedHeight(tallest)
        for head in self.heads.values():
            head.setFixedHeight(tallest)
        self.header.setFixedHeight(tallest)

    def cell_size(self) -> QSize:
        """How large a picture is: all networks fit the width, two rows and a bit the height."""
        assert self.grid is not None
        columns = len(self.grid.cards) + 1
        height, width = self.grid.pixels.shape[:2]
        bars = 2 * self.body.verticalScrollBar().sizeHint().width()
        taken = self._row_head_width() + RowScale.WIDTH + bars
        across = (self.width() - taken - (columns + 4) * SPACING) / columns
        strip = SharesStrip.HEIGHT if self.grid.labelled else 0
        down = self.body.height() / VISIBLE_ROWS - strip - 2 * SPACING
        side = min(across, down * width / height)
        across = min(max(side, SIDES[0]), SIDES[1])
        # A long narrow image leaves room at its sides.
        return QSize(int(across), int(min(max(across * height / width, SIDES[0] / 2), SIDES[1])))


def _head() -> QLabel:
    return QLabel(
        wordWrap=True,
        textFormat=Qt.TextFormat.RichText,
        alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom,
    )


def _spacer(width: int) -> QWidget:
    made = QWidget()
    made.setFixedWidth(width)
    return made


def _bare_area() -> QScrollArea:
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    return area


def _row_layout(content: QWidget) -> QGridLayout:
    layout = QGridLayout(content)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACING)
    return layout
