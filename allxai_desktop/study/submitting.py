"""How a mask is submitted, and what is said where that is refused."""

from collections.abc import Sequence
from dataclasses import replace

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.notice import Notice
from allxai_desktop.study.checks import Finding
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import ItemProgress, Progress
from allxai_desktop.study.states import StateError
from allxai_desktop.study.workspace import Workspace


def submit(
    workspace: Workspace,
    progress: Progress,
    person: Person,
    item: StudyItem,
    mask: str | None,
    overruled: Sequence[Finding],
) -> ItemProgress:
    """Submit the mask of an item once it is on disk with the hash `mask`.

    Raises `StateError`, `StoreError`, and `MaskError` where the mask cannot be read.
    """
    unsaved = workspace.unsaved()
    if hash_on_disk(item) != mask:
        if not unsaved:
            raise StateError(_("Somebody else painted it after you opened it: look at it again."))
        raise StateError(
            _("Its mask is not saved yet, but your strokes are kept: submit it again once it is saved.")
            if workspace.kept
            else _("Its mask could not be saved.")
        )
    notes = tuple(f"overruled: {finding.note}" for finding in overruled)
    return progress.submit(person, item.image_path.name, mask, notes)


def refused(workspace: Workspace, study: Study, row: int, error: AllxaiError) -> Notice:
    """Return the notice on an image that was not submitted, which is not in sight any more, with the way back."""

    def go() -> None:
        if workspace.study is not None and workspace.study.folder == study.folder:
            workspace.show(row)
        else:
            workspace.open_study(replace(study, start=row))

    name = study.items[row].image_path.name
    text = _("{name} was not submitted. {reason}").format(name=name, reason=error)
    return Notice("error", text, (_("Go there"), go))


def why_not_in_place(workspace: Workspace, item: StudyItem) -> str:
    """Return why what is painted over an item, a copy beside its mask, cannot be submitted, with the way on."""
    holder, copy = workspace.holder, workspace.mask_path
    assert copy is not None
    if holder is not None:
        return _(
            "{person} paints this image, and a copy, {copy}, cannot be submitted: "
            "to submit yours, choose File › Take over this image."
        ).format(person=holder.name, copy=copy.name)
    # It may be damaged, of another image, or what a colleague saved meanwhile.
    return _(
        "What you paint is saved as {copy}, beside {mask}, and cannot be submitted so: "
        "leave the right one of the two with the name {mask}, and open the study again."
    ).format(mask=item.mask_path.name, copy=copy.name)
