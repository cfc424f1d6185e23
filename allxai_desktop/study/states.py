"""The states of an image of a study, what leads from one to the next, and who may do it."""

from dataclasses import dataclass
from typing import Literal, get_args

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.study.people import ROLES, Person, Role

State = Literal["to-do", "in-progress", "submitted", "approved", "returned"]
Action = Literal["edit", "found", "undo", "submit", "approve", "return"]
STATES: tuple[State, ...] = get_args(State)
ACTIONS: tuple[Action, ...] = get_args(Action)
TITLES: dict[State, str] = {
    "to-do": N_("to do"),
    "in-progress": N_("in progress"),
    "submitted": N_("submitted"),
    "approved": N_("approved"),
    "returned": N_("returned"),
}
ACTION_TITLES: dict[Action, str] = {
    "edit": N_("painted"),
    "found": N_("found changed"),
    "undo": N_("taken back"),
    "submit": N_("submitted"),
    "approve": N_("approved"),
    "return": N_("returned"),
}
SIGNS: dict[State, str] = {
    "to-do": "·",
    "in-progress": "✎",
    "submitted": "▲",
    "approved": "✔",
    "returned": "↩",
}
"""A sign for each state, so that it does not hang on a colour."""


class StateError(AllxaiError):
    """A step that an image may not take now, or not by this person."""


class OtherMaskError(StateError):
    """A judgement on a mask that is not the one that was submitted."""


@dataclass(frozen=True)
class Step:
    """Where an action leads, who may take it, and whether also whoever painted the mask."""

    to: State
    roles: tuple[Role, ...] = ROLES
    own: bool = True


_EDITED = Step("in-progress")
_APPROVED = Step("approved", ("reviewer",), own=False)
_RETURNED = Step("returned", ("reviewer",), own=False)

STEPS: dict[tuple[State, Action], Step] = {
    # "found": the mask was changed by other means than this program's window.
    **{(state, action): _EDITED for state in STATES for action in ("edit", "found")},
    ("to-do", "submit"): Step("submitted"),
    ("in-progress", "submit"): Step("submitted"),
    ("returned", "submit"): Step("submitted"),
    ("submitted", "approve"): _APPROVED,
    ("submitted", "return"): _RETURNED,
    ("approved", "return"): _RETURNED,
}
"""Every step there is, but for "undo", which leads to where the image was: see `progress.advanced`."""


def step(state: State, action: Action, person: Person | None, annotator: str | None) -> State:
    """Return the state that `action` of `person` leads to, for an image that `annotator` painted last.

    Whoever did not say who they are may edit, and no more.

    Raises `StateError` where there is no such step, or not for this person.
    """
    found = STEPS.get((state, action))
    if found is None:
        raise StateError(
            _("This image is {state}: {hint}").format(state=_(TITLES[state]), hint=_(_HINTS[action]))
        )
    if found is _EDITED:
        return found.to
    if person is None:
        raise StateError(_("Say who you are first: a pseudonym is enough."))
    if person.role not in found.roles:
        raise StateError(_("Only a reviewer approves or returns: change your role in “Who are you”."))
    if not found.own and person.name == annotator:
        raise StateError(
            _("{name} painted this image: another reviewer has to judge it.").format(name=annotator)
        )
    return found.to


_HINTS: dict[Action, str] = {
    "edit": "",
    "found": "",
    "undo": "",
    "submit": N_("it is submitted already, and waits for nothing from you."),
    "approve": N_("only what was submitted can be approved."),
    "return": N_("only what was submitted can be returned."),
}
