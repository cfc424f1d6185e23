"""Second annotations and adjudication in the desktop window: which study is open instead, and the way back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from allxai_desktop import keys
from allxai_desktop.agreement.adjudication import Adjudication
from allxai_desktop.agreement.model import AgreementModel, Prepared
from allxai_desktop.agreement.plan import SECOND_FOLDER, SecondPlan
from allxai_desktop.app.adjudication_bar import AdjudicationBar
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.notice import Notice
from napari_allxai_annotate.disagreements import DisagreementLayer
from napari_allxai_annotate.shortcuts import Shortcuts

if TYPE_CHECKING:
    from pathlib import Path

    from allxai_desktop.app.agreement_window import AgreementWindow
    from allxai_desktop.app.window import MainWindow
    from allxai_desktop.study.folder import Study
    from allxai_desktop.study.people import Person


class Agreement:
    """Opens the agreement window of a main window, which shows a blind study or a final mask while one is worked on."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.bar = AdjudicationBar()
        self.model: AgreementModel | None = None
        self.agreement_window: AgreementWindow | None = None
        self.adjudication: Adjudication | None = None
        self._home: Study | None = None
        self._blind: Study | None = None
        self._prepared: Prepared | None = None
        self._layer: DisagreementLayer | None = None
        self._map_shown = (True, True)
        self._keys: Shortcuts | None = None
        self._reminder: Notice | None = None
        self.bar.left.connect(self.leave)
        self.bar.next_asked.connect(self._next_image)

    def connect(self) -> None:
        """Follow the workspace, after all that shows an image has begun to."""
        workspace = self.window.workspace
        workspace.study_opened.connect(self._on_study)
        workspace.item_left.connect(self._end_adjudication)
        workspace.item_shown.connect(self._on_item)
        workspace.mask_saved.connect(self._on_saved)
        self.window.session.image_changed.connect(self._on_image)
        self.window.desk.model.person_changed.connect(self._on_person)
        keys.events.changed.connect(self._bind_keys)

    def open(self) -> None:
        """Show the agreement window; not while a second annotation is open, which it would tell of."""
        if self._blind is not None:
            text = _("Agreement is shown once you are back in the study: the second annotation is blind.")
            self.window.notices.show_notice(Notice("info", text))
            return
        if self.agreement_window is None:
            from allxai_desktop.app.agreement_window import AgreementWindow

            self.model = AgreementModel(self.window.dispatch, self.window.workspace.unsaved)
            self.model.set_study(self._home or self.window.workspace.study)
            self.model.prepared.connect(self._on_prepared)
            self.model.all_decided.connect(self._on_all_decided)
            self.model.plan_changed.connect(self._on_plan)
            self.agreement_window = AgreementWindow(self.model, self.window)
            self.agreement_window.annotate_asked.connect(self._annotate)
        self._on_person(self.window.workspace.person)
        self.agreement_window.open()
        if self._prepared is not None and self.model is not None:
            # What was decided since is not in the table.
            self.model.measure_again()

    def leave(self) -> None:
        """Go back from a second annotation or an adjudication to the study."""
        if self._home is not None:
            self.window.workspace.open_study(self._home)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.bar.retranslate()
        if self._blind is not None:
            self.bar.show_blind(_blind_text(self._blind))
        if self.agreement_window is not None:
            self.agreement_window.retranslate()

    def _bind_keys(self) -> None:
        if self._keys is not None:
            self._keys.release()
            self._keys = None
        if self.adjudication is not None:
            model = self.adjudication
            self._keys = Shortcuts(
                self.window,
                {
                    "take-left": partial(model.choose, "first"),
                    "take-right": partial(model.choose, "second"),
                    "next-region": partial(model.step, 1),
                    "previous-region": partial(model.step, -1),
                },
            )

    def close(self) -> None:
        """Stop following; called before the canvas is closed."""
        workspace = self.window.workspace
        workspace.study_opened.disconnect(self._on_study)
        workspace.item_left.disconnect(self._end_adjudication)
        workspace.item_shown.disconnect(self._on_item)
        workspace.mask_saved.disconnect(self._on_saved)
        self.window.session.image_changed.disconnect(self._on_image)
        self.window.desk.model.person_changed.disconnect(self._on_person)
        keys.events.changed.disconnect(self._bind_keys)
        self._end_adjudication()
        if self.agreement_window is not None and self.model is not None:
            self.agreement_window.close()
            self.agreement_window.release()
            self.model.close()

    # What is opened instead of the study

    def _annotate(self, person: str) -> None:
        assert self.model is not None
        me = self.window.workspace.person
        if me is not None and me.name != person:
            self.model.failed.emit(
                _(
                    "You are {me}, and this is for {person} to annotate: say who you are first, at the bottom left of "
                    "the main window."
                ).format(me=me.name, person=person)
            )
            return
        study = self.model.blind_study(person)
        if study is not None:
            self._show_blind(study)

    def _show_blind(self, study: Study) -> None:
        self._remember_home()
        self._remind()
        self._blind, self._prepared = study, None
        if self.agreement_window is not None:
            self.agreement_window.hide()
        self._go_to(study)
        self.bar.show_blind(_blind_text(study))

    def _remind(self) -> None:
        """Offer whoever works here what they are still to annotate a second time, beside which the first masks lie."""
        if self._reminder is not None:
            self.window.notices.withdraw(self._reminder)
            self._reminder = None
        study, me = self.window.workspace.study, self.window.workspace.person
        if study is not None and me is not None and self._home is None:
            self.window.desk.model.read(
                lambda: SecondPlan(study).waiting(me.name), partial(self._on_waiting, me)
            )

    def _on_plan(self) -> None:
        if self._reminder is not None:
            # It may be of what was taken back.
            self._remind()

    def _on_waiting(self, me: Person, waiting: tuple[Study, int] | None) -> None:
        if waiting is None or me != self.window.workspace.person or self._home is not None:
            return
        blind, left = waiting
        text = counted(
            left,
            N_("An image waits for your second annotation."),
            N_("{count} images wait for your second annotation."),
        )
        self._reminder = Notice("info", text, (_("Annotate"), partial(self._show_blind, blind)))
        self.window.notices.show_notice(self._reminder)

    def _on_prepared(self, prepared: Prepared) -> None:
        self._remember_home()
        self._blind, self._prepared = None, prepared
        self._go_to(prepared.study)

    def _remember_home(self) -> None:
        workspace = self.window.workspace
        if workspace.study is not None and self._home is None:
            self._home = replace(workspace.study, start=workspace.index or 0)

    def _go_to(self, study: Study) -> None:
        self.window.workspace.open_study(study)
        self.window.raise_()
        self.window.activateWindow()

    def _next_image(self) -> None:
        if self.model is not None and self._prepared is not None:
            done = self._prepared
            self.model.adjudicate_next(done.pair, done.study.annotator or "")

    def _on_all_decided(self) -> None:
        self.window.notices.show_notice(Notice("info", _("No other image has regions to decide.")))

    def _on_study(self, study: Study) -> None:
        if study is self._blind or (self._prepared is not None and study is self._prepared.study):
            return
        self._blind = self._prepared = None
        self._end_adjudication()
        self.bar.end()
        self._home = None
        self._remind()
        if self.model is None:
            return
        if self.model.study is None or study.folder != self.model.study.folder:
            self.model.set_study(study)
        else:
            self.model.refresh()
            self.model.measure_again()

    def _on_person(self, person: Person | None) -> None:
        name = person.name if person else None
        if self.agreement_window is not None:
            self.agreement_window.set_person(name)
        shown = self._blind if self._prepared is None else self._prepared.study
        if shown is not None and name not in (None, shown.annotator):
            # Nobody goes on in the name of another.
            text = _("{title} is not yours: this is the study again.").format(title=shown.title)
            self.window.notices.show_with_image(Notice("info", text))
            self.leave()
        else:
            self._remind()

    def _on_saved(self, path: Path) -> None:
        # The last second mask may come to the disk after the way back to the study.
        model = self.model
        if model is None or model.study is None or self._blind is not None:
            return
        if model.study.folder / SECOND_FOLDER in path.parents:
            model.refresh()

    def _on_item(self, _index: int) -> None:
        workspace, prepared = self.window.workspace, self._prepared
        image = workspace.image
        if prepared is None or workspace.study is not prepared.study or image is None:
            return
        self.adjudication = Adjudication(workspace.paint, prepared.first, prepared.second, prepared.regions)
        self._layer = DisagreementLayer(
            self.window.viewer, self.adjudication, lambda: self.window.canvas.image_layer
        )
        self._layer.look()
        # The map would lie over what has to be decided.
        view = self.window.view
        self._map_shown = view.map_visible, view.outline_visible
        view.map_visible = view.outline_visible = False
        self.bar.show_adjudication(self.adjudication, prepared.pair, image, prepared.study.title)
        self._bind_keys()

    def _on_image(self, image: object) -> None:
        if self.adjudication is not None and image is not None:
            # A proposal in stripes over what is hatched could not be told from it.
            self.window.proposals.model.set_image(None)

    def _end_adjudication(self) -> None:
        if self.adjudication is None:
            return
        self.bar.end()
        if self._layer is not None:
            self._layer.close()
            self._layer = None
        self.window.view.map_visible, self.window.view.outline_visible = self._map_shown
        self.adjudication.close()
        self.adjudication = None
        self._bind_keys()


def _blind_text(study: Study) -> str:
    return _("{title}: you see none of the first masks.").format(title=study.title)
