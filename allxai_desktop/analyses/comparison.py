"""The comparison that a window shows: what is chosen, what is ready, what is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from allxai_desktop.analyses.grid import Cell, ComparisonChoices, Grid, Method
from allxai_desktop.analyses.grid_cells import Engine, SharedEngine, compute_cells, new_grid
from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import keep_images
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.networks.card import Card
    from allxai_desktop.session import Session

DEFAULT_NETWORKS = 3


class Comparison:
    """The grid of the session's image, followed by a window through its signals.

    A change of `choices` is computed at once, and only what it adds; a change of the image or the mask makes the
    grid `outdated` until `update`. `dispatch` runs a callable on the thread that owns the widgets; no figure is written
    over one of the `originals`, files of images.
    """

    choices_changed = Signal(ComparisonChoices)
    grid_changed = Signal(object)
    cell_ready = Signal(Cell)
    outdated_changed = Signal(bool)
    exported = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        session: Session,
        cards: Sequence[Card],
        engine: Engine | None = None,
        dispatch: Dispatch = at_once,
        originals: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self.session = session
        self.cards = {card.name: card for card in cards}
        self.choices = ComparisonChoices(networks=tuple(self.cards)[:DEFAULT_NETWORKS])
        self.grid: Grid | None = None
        self.outdated = False
        self.runner, self.exporter = TaskRunner(dispatch), TaskRunner(dispatch)
        self._engine = engine or SharedEngine()
        self._dispatch, self._originals = dispatch, originals
        self._closed = False
        session.paint.edited.connect(self._on_source)
        session.image_changed.connect(self._on_source)
        self.runner.failed.connect(self.failed)
        self.exporter.failed.connect(self.failed)
        self.exporter.finished.connect(self.exported)

    @property
    def common_classes(self) -> tuple[str, ...]:
        """The classes that all the chosen networks have, in the order of the first."""
        cards = self._chosen_cards()
        if not cards:
            return ()
        return tuple(key for key in cards[0].classes if all(key in card.classes for card in cards))

    def set_networks(self, cards: Sequence[Card]) -> None:
        """Offer these networks; those chosen that are no longer among them are not chosen any more."""
        self.cards = {card.name: card for card in cards}
        chosen = tuple(name for name in self.choices.networks if name in self.cards)
        self.choices = replace(self.choices, networks=chosen)
        self.choices_changed.emit(self.choices)

    def choose(self, **changes: Any) -> None:
        """Change some of the choices and compute what they add; a target that is not common any more is dropped."""
        choices = replace(self.choices, **changes)
        if choices == self.choices:
            return
        self.choices = choices
        if choices.target is not None and choices.target not in self.common_classes:
            self.choices = replace(choices, target=None)
        self.choices_changed.emit(self.choices)
        if self.grid is not None:
            self.update()

    def update(self) -> None:
        """Compare on the session's image and mask as they are now."""
        image, before = self.session.image, self.grid
        if image is None:
            return
        codes = self.session.paint.codes.copy()
        try:
            # Counted stroke by stroke, which takes no time now.
            areas = self.session.shares
            grid = new_grid(image, codes, self._chosen_cards(), self.choices, areas)
        except AllxaiError as error:
            self.failed.emit(str(error))
            return
        known = _whole_maps(before, grid)
        self.grid = grid
        self._set_outdated(False)
        self.grid_changed.emit(grid)

        def work(progress: Progress) -> None:
            compute_cells(
                grid,
                codes,
                self._engine,
                lambda cell: self._dispatch(lambda: self._add(grid, cell)),
                progress=progress,
                known=known,
            )

        self.runner.start(work)

    def cancel(self) -> None:
        """Stop computing; the cells that are ready stay."""
        self.runner.cancel()

    def clear(self) -> None:
        """Stop, and let go of the maps."""
        self.runner.cancel()
        self.grid = None
        self._set_outdated(False)
        self.grid_changed.emit(None)

    def export(self, path: str, name: str) -> None:
        """Write the figure to a PNG or PDF on another thread, with `name` under it in place of the image's."""
        if self.grid is None:
            return
        # Cells that arrive meanwhile are not in it.
        grid = replace(self.grid, cells=dict(self.grid.cells))
        originals = self._originals()

        def work(_progress: Progress) -> str:
            from allxai_desktop.analyses.figure import save_figure

            keep_images(Path(path), originals)
            save_figure(path, grid, name)
            return path

        self.exporter.start(work)

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        self._closed = True
        self.session.paint.edited.disconnect(self._on_source)
        self.session.image_changed.disconnect(self._on_source)
        self.runner.close()
        self.exporter.close()

    def _chosen_cards(self) -> list[Card]:
        return [card for name, card in self.cards.items() if name in self.choices.networks]

    def _add(self, grid: Grid, cell: Cell) -> None:
        if grid is self.grid and not self._closed:
            grid.cells[cell.network, cell.method] = cell
            self.cell_ready.emit(cell)

    def _on_source(self, *_change: object) -> None:
        self._set_outdated(self.grid is not None)

    def _set_outdated(self, outdated: bool) -> None:
        if outdated != self.outdated:
            self.outdated = outdated
            self.outdated_changed.emit(outdated)


def _whole_maps(before: Grid | None, now: Grid) -> dict[tuple[str, Method], Explanation]:
    """The explanations of a grid that hold for another one, of the same image and target."""
    if (
        before is None
        or before.step > 1
        or before.image.sha256 != now.image.sha256
        or before.choices.target != now.choices.target
    ):
        return {}
    return {key: cell.explanation for key, cell in before.cells.items() if cell.explanation is not None}
