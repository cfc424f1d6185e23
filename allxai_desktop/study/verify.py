"""Whether the audit trail of a study holds, and whether its masks are those that the trail tells of."""

from dataclasses import dataclass

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.masks.npz import open_archive, read_meta
from allxai_desktop.slides.large import open_image
from allxai_desktop.study import audit
from allxai_desktop.study.audit import Entry, described, mask_sha256
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.preview import codes_on_disk
from allxai_desktop.study.progress import PART, ItemProgress, followed, handed_on, items_of
from allxai_desktop.study.states import TITLES
from allxai_desktop.study.store import StudyStore


@dataclass(frozen=True)
class Verification:
    """What was found: how many entries and masks fit, sentences on what does not, and what is only worth knowing.

    `hashes` are those of the entries. The last one, noted elsewhere, shows later that nothing was taken away.
    """

    entries: int
    masks: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    hashes: tuple[str, ...]


def verify(study: Study) -> Verification:
    """Check the trail of a study, the states that follow from it, and the masks on disk against it.

    Raises `StoreError` where its database cannot be read.
    """
    with StudyStore.open(study.folder).reading(PART) as db:
        trail = [] if db is None else audit.entries(db)
        known = {} if db is None else items_of(db)
        lost = 0 if db is None else audit.cut_off(db)
    problems = [sentence for sentence in (audit.broken(trail),) if sentence]
    if lost:
        problems.append(
            counted(
                lost, N_("The last entry was taken away."), N_("The last {count} entries were taken away.")
            )
        )
    if not problems:
        problems += _replayed(trail, known)
    items = {item.image_path.name: item for item in study.items}
    notes, fit = [], 0
    for name, progress in known.items():
        if name not in items:
            notes.append(_("{name} is not in the study any more.").format(name=name))
            continue
        sentence = _mask_problem(items[name], progress)
        if sentence is None:
            fit += 1
        elif progress.state == "in-progress":
            notes.append(_("{name} was painted on since its last entry.").format(name=name))
        else:
            problems.append(sentence)
    return Verification(len(trail), fit, tuple(problems), tuple(notes), tuple(entry.hash for entry in trail))


def _replayed(trail: list[Entry], known: dict[str, ItemProgress]) -> list[str]:
    """Return the first step of the trail that may not be taken, else what in the list does not follow from it."""
    now: dict[str, ItemProgress] = {}
    last: dict[str, ItemProgress] = {}
    comments: dict[str, list[str]] = {}
    for entry in trail:
        before = now.get(entry.item) or ItemProgress(mask_sha256=entry.mask_before)
        if before.mask_sha256 != entry.mask_before:
            sentence = _("Entry {number} ({what}) begins with another mask than the entry before it left.")
        else:
            try:
                now[entry.item] = followed(before, entry, last.get(entry.item))
                if handed_on(entry):
                    last[entry.item] = now[entry.item]
                if entry.action == "return":
                    comments.setdefault(entry.item, []).append(entry.detail)
                elif entry.action in ("submit", "approve"):
                    # What was said of a mask goes when it is submitted anew.
                    comments[entry.item] = []
                continue
            except (AllxaiError, ValueError):
                sentence = _("Entry {number} ({what}) is a step that may not be taken.")
        return [sentence.format(number=entry.seq, what=described(entry))]
    sentences = (
        _unlike(name, known.get(name, ItemProgress()), now.get(name), comments.get(name, []))
        for name in known | now
    )
    return [sentence for sentence in sentences if sentence]


def _unlike(name: str, found: ItemProgress, told: ItemProgress | None, comments: list[str]) -> str | None:
    """Return a sentence on what the list says of an image and the trail, which has it as `told`, does not."""
    if told is None or (found.state, found.mask_sha256) != (told.state, told.mask_sha256):
        text = _("The list has {name} as {state}, and the trail does not.")
    elif found.annotator != told.annotator:
        text = _("The list has {name} as painted by {person}, and the trail does not.")
    elif [comment.detail for comment in found.comments] != comments:
        text = _("The comments on {name} are not those of the trail.")
    else:
        return None
    return text.format(name=name, state=_(TITLES[found.state]), person=found.annotator or _("nobody"))


def _mask_problem(item: StudyItem, progress: ItemProgress) -> str | None:
    try:
        codes = codes_on_disk(item) if item.mask_path.exists() else None
    except AllxaiError as error:
        return str(error)
    found = None if codes is None else mask_sha256(codes)
    if found == progress.mask_sha256:
        if not progress.holds(found):
            return _("{name} was {state} with nothing painted in it: paint it, and submit it again.").format(
                name=item.image_path.name, state=_(TITLES[progress.state])
            )
        return None if codes is None else _image_problem(item)
    if codes is None:
        return _("The mask {name} is missing.").format(name=item.mask_path.name)
    return _("The mask {name} is not the one that was {state}.").format(
        name=item.mask_path.name, state=_(TITLES[progress.state])
    )


def _image_problem(item: StudyItem) -> str | None:
    try:
        with open_archive(item.mask_path) as archive:
            identity = read_meta(archive, item.mask_path.name).get("image_sha256")
        if identity is None or identity == open_image(item.image_path).sha256:
            return None
    except AllxaiError as error:
        return str(error)
    return _("The image {name} is not the one that its mask was painted on.").format(
        name=item.image_path.name
    )
