"""What is there for an image that is opened: its mask, who paints it, and strokes that a crash left in a journal."""

from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count, dropwhile, islice, takewhile
from os.path import exists
from pathlib import Path
from typing import Any

from allxai_desktop.files import listed
from allxai_desktop.i18n import N_, _
from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import MaskError, MaskFile, open_archive, read_meta
from allxai_desktop.masks.npz_tiles import TiledMask, load_any
from allxai_desktop.painting.tiles import Codes, Flags, empty_mask
from allxai_desktop.study.journal import journals_of
from allxai_desktop.study.journal_file import NO_FILE, JournalError, Recorded, file_sha256, read_journal
from allxai_desktop.study.locks import Holder, PaintingSession, holder_of, left_behind, lock_path

# Each journal takes the memory of a mask, and a folder may come from a stranger: the others wait for the next opening.
_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Crashed:
    """Journals of programs that ended: the one whose last `count` strokes are brought back, and others.

    It may have none, where a mask was to be saved as a copy: all that was painted is then what the strokes start from.

    The strokes of the `spent` are in the mask file or in `recorded`. Those of the `strayed` are of this image, but
    begin from a mask that somebody has changed since; the `foreign` are of another one, or cannot be read. `accepted`
    bool (H, W) are the pixels that a proposal set, with the strokes brought back. `damaged` where later strokes cannot
    be read.
    """

    recorded: Recorded | None = None
    count: int = 0
    spent: tuple[Recorded, ...] = ()
    strayed: tuple[Recorded, ...] = ()
    foreign: tuple[Path, ...] = ()
    accepted: Flags | None = None
    damaged: bool = False


@dataclass(frozen=True, eq=False)
class CrashedCopy:
    """A further mask, at `path`, with strokes that a crash left in journals only: `codes` uint8 (H, W) have them.

    `codes` is None where none of them can be read, or is needed; `sha256` is that of the file, and `meta` what it says.
    `strayed` where it is new: the strokes fit the first mask no more, and are laid over it here.
    """

    path: Path
    codes: Codes | None
    crashed: Crashed
    sha256: str
    meta: dict[str, Any]
    strayed: bool = False


@dataclass(frozen=True, eq=False)
class Found:
    """What is there for an image whose mask belongs at `key`: `codes` uint8 (H, W), to be saved at `path`.

    `sha256` is that of the file at `path` ("" where it cannot be read); `holder` who else paints, and `held` what;
    `codes` have the strokes of `crashed.recorded`; `accepted` bool (H, W) are the pixels that a proposal set, where
    the file or those strokes say so; `copies` are further masks that a crash left; `notes` are sentences for the
    user, the weightiest last; what is in `taken` belongs to other images.
    """

    key: Path
    path: Path
    codes: Codes
    meta: dict[str, Any]
    sha256: str
    holder: Holder | None
    held: Path | None
    crashed: Crashed
    copies: tuple[CrashedCopy, ...]
    notes: tuple[str, ...]
    accepted: Flags | None = None
    taken: Container[Path] = ()


def find_mask(
    path: Path, image: CellImage, me: PaintingSession, person: str | None, taken: Container[Path] = ()
) -> Found:
    """Look for the mask of an image at `path`, or beside it where that is another's. Nothing is written.

    A file that is no mask of this image, or that somebody else paints, is never written over: `<stem>-2.npz`, `-3`, …
    take its place, but for what is `taken`: the masks of other images. Of those that others paint, the copy that
    `person` began is gone on with.
    """
    place = _place(path, image, me, person, taken)
    shown, holder = place.shown, place.holder
    crashed, painted = _crashed(place.path, image, me, place.sha256, place.mask)
    accepted = crashed.accepted
    if painted is None:
        painted, accepted = (empty_mask(image), None) if shown is None else (shown.codes, shown.accepted)
    notes = _of_place(place)
    further = () if holder is not None else tuple(_beside(path, place.path, image, taken))
    if place.path == path and place.sha256 == NO_FILE:
        notes += _of_former_name(path, image, further, taken)
    copies = []
    for beside in further:
        notes += _of_copy(beside, image)
        copy = _crashed_copy(beside, image, me)
        if copy is not None:
            notes += _of_damage(copy.crashed, beside)
            copies.append(copy)
    strayed = [one for left in (crashed, *(copy.crashed for copy in copies)) for one in left.strayed]
    copy_paths = free_copies(path, image.sha256, taken)
    free = (copy for copy in copy_paths if copy != place.path and holder_of(lock_path(copy), me) is None)
    for one, beside in zip(strayed, free, strict=False):
        copies.append(_laid_over(painted, one, beside))
        notes += _of_damage(copies[-1].crashed, place.path)
    notes += _of_crash(crashed, left_behind(lock_path(place.path), me), place.path)
    notes += _of_damage(crashed, place.path)
    if holder is not None:
        notes.append(
            _(
                "{person} has been painting {name} since {time}. What you paint is saved as a copy, {copy}; "
                "to paint in the mask itself, choose File › Take over this image."
            ).format(person=holder.name, name=image.name, time=holder.time, copy=place.path.name)
        )
    return Found(
        path,
        place.path,
        painted,
        {} if place.mask is None else place.mask.meta,
        place.sha256,
        holder,
        place.held,
        crashed,
        tuple(copies),
        tuple(notes),
        accepted,
        taken,
    )


@dataclass(frozen=True, eq=False)
class _Place:
    """Where what is painted is saved, and the `mask` that is there already; `shown` is what is gone on with.

    `refused` says what is wrong with the first file that is no mask of the image; `holder` paints the one at `held`.
    """

    path: Path
    sha256: str
    mask: MaskFile | TiledMask | None
    shown: MaskFile | TiledMask | None
    refused: str | None
    holder: Holder | None
    held: Path | None


def _place(
    path: Path, image: CellImage, me: PaintingSession, person: str | None, taken: Container[Path]
) -> _Place:
    """Return the first place for the mask of an image that is free for this person."""
    theirs: MaskFile | TiledMask | None = None
    refused: str | None = None
    holder: Holder | None = None
    held: Path | None = None
    for target in candidates(path, taken):
        sha256, mask = sha256_or_unknown(target), None
        try:
            mask = load_any(target, image) if sha256 != NO_FILE else None
        except MaskError as error:
            refused = refused or str(error)
            continue
        other = holder_of(lock_path(target), me)
        if other is not None:
            holder, held, theirs = holder or other, held or target, theirs or mask
        elif holder is None or _is_open_to(person, target, mask, image, me):
            return _Place(target, sha256, mask, mask or theirs, refused, holder, held)
    raise AssertionError("there is always one more candidate")


def _is_open_to(
    person: str | None,
    copy: Path,
    mask: MaskFile | TiledMask | None,
    image: CellImage,
    me: PaintingSession,
) -> bool:
    """Whether a person paints in a copy: it is their own, or there is none yet, nor strokes that others left for it."""
    if mask is not None:
        return mask.meta.get("annotator") == person
    return not journals_of(copy, image.sha256) or _left_by(copy, me) in (None, person)


def _left_by(path: Path, me: PaintingSession) -> str | None:
    """Return whose program ended while it painted a mask, None where that is not known."""
    gone = left_behind(lock_path(path), me)
    return None if gone is None else gone.person or None


def candidates(path: Path, taken: Container[Path] = ()) -> Iterator[Path]:
    """Yield a path, and then `<stem>-2`, `-3`, … without end, but for what is `taken`."""
    yield path
    for number in count(2):
        other = path.with_name(f"{path.stem}-{number}{path.suffix}")
        if other not in taken:
            yield other


def _beside(key: Path, path: Path, image: CellImage, taken: Container[Path]) -> Iterator[Path]:
    """Yield where further masks of an image are, or the strokes of such, after the one at `path`."""
    beside = islice(dropwhile(lambda copy: copy != path, candidates(key, taken)), 1, None)
    return takewhile(lambda copy: exists(copy) or journals_of(copy, image.sha256), beside)


def free_copies(key: Path, image_sha256: str, taken: Container[Path]) -> Iterator[Path]:
    """Yield where there is no further mask of an image yet, nor strokes of one."""
    for copy in islice(candidates(key, taken), 1, None):
        if sha256_or_unknown(copy) == NO_FILE and not journals_of(copy, image_sha256):
            yield copy


def _laid_over(codes: Codes, recorded: Recorded, copy: Path) -> CrashedCopy:
    """Return a further mask, to be at `copy`: `codes` with strokes that began from another mask."""
    laid = recorded.laid_over(codes)
    return CrashedCopy(copy, laid, Crashed(recorded, damaged=recorded.damaged), NO_FILE, {}, strayed=True)


def sha256_or_unknown(path: Path) -> str:
    """Return the SHA-256 of a file, `NO_FILE` where there is none, "" where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return ""


def _crashed(
    target: Path, image: CellImage, me: PaintingSession, sha256: str, mask: MaskFile | TiledMask | None
) -> tuple[Crashed, Codes | None]:
    """Return the journals of dead sessions for a mask, and its codes with the strokes of the fullest on them."""
    fitting: list[tuple[Recorded, int, tuple[Codes, Flags]]] = []
    older: list[Recorded] = []
    foreign = []
    for path in journals_of(target, image.sha256):
        if len(fitting) + len(older) == _AT_ONCE:
            break
        try:
            recorded = read_journal(path)
            if recorded.head.session.id != me.id and recorded.head.session.alive():
                continue
            if not recorded.is_of(image.sha256, image.shape):
                raise JournalError("the journal is of another image")
            had = recorded.had_by(sha256)
            if had is None:
                older.append(recorded)
                continue
            codes, accepted = (empty_mask(image), None) if mask is None else (mask.codes, mask.accepted)
            fitting.append((recorded, had, recorded.painted(codes, accepted, had)))
        except JournalError:
            foreign.append(path)
    # Of two with the same strokes the longer one adopted the other.
    fitting.sort(key=lambda one: (len(one[0].strokes) - one[1], len(one[0].body)))
    if not fitting:
        return Crashed(strayed=tuple(older), foreign=tuple(foreign)), None
    recorded, had, (painted, accepted) = fitting[-1]
    lacking = recorded.lacking(sha256, had)
    # One that the mask file has whole goes by itself.
    spent = [one for one, had, _painted in fitting if not one.lacking(sha256, had) or recorded.has(one)]
    # One that was adopted does not know the mask file that was saved since.
    spent += [one for one in older if recorded.has(one)]
    ones = (*(one for one, _had, _painted in fitting), *older)
    strayed = [one for one in ones if one not in spent and one is not recorded]
    found = Crashed(
        recorded if lacking else None,
        len(recorded.strokes) - had,
        tuple(one for one in spent if one is not recorded or not lacking),
        tuple(strayed),
        tuple(foreign),
        accepted,
        recorded.damaged,
    )
    return found, painted if lacking else None


def _of_place(place: _Place) -> list[str]:
    notes = []
    if place.shown is not None and place.shown.warning:
        notes.append(place.shown.warning)
    if place.refused is not None:
        text = _("{reason} What you paint is saved as {name}; the file stays as it is.")
        notes.append(text.format(reason=place.refused, name=place.path.name))
    return notes


def _of_former_name(
    path: Path, image: CellImage, further: Container[Path], taken: Container[Path]
) -> list[str]:
    """Return the note on a mask that is of no image here by its name, and of this one by its pixels."""
    there = [path.with_name(listed(other.name)) for other in path.parent.glob("*.npz")]
    others = (other for other in there if other not in taken and other not in further)
    # The first mask before its copies.
    for other in sorted(others, key=lambda other: (len(other.name), other.name)):
        with suppress(MaskError), open_archive(other) as archive:
            if read_meta(archive, other.name).get("image_sha256") == image.sha256:
                text = _(
                    "{mask} was painted on this image, which had another name then: call it {name}, and open the study"
                    " again."
                )
                return [text.format(mask=other.name, name=path.name)]
    return []


def _of_crash(crashed: Crashed, gone: Holder | None, target: Path) -> list[str]:
    recorded = crashed.recorded
    if recorded is not None:
        with suppress(OSError):
            time = datetime.fromtimestamp(recorded.path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
            one = N_("The last stroke, of {time}, had not come into the mask file: it was brought back.")
            many = N_(
                "The last {count} strokes, until {time}, had not come into the mask file: they were brought back."
            )
            if not crashed.count:
                text = _(
                    "What was painted until {time} had not come into the mask file: it was brought back."
                )
                return [text.format(time=time)]
            return [_(one if crashed.count == 1 else many).format(count=crashed.count, time=time)]
    if gone is not None:
        return [
            _("{person} began to paint {name} at {time}, and the program ended: you may go on.").format(
                person=gone.name, name=target.name, time=gone.time
            )
        ]
    return []


def _of_damage(crashed: Crashed, target: Path) -> list[str]:
    if not crashed.damaged:
        return []
    text = _(
        "Strokes on {name} are lost, for their record is damaged; those before them are kept: look at the mask again."
    )
    return [text.format(name=target.name)]


def _crashed_copy(path: Path, image: CellImage, me: PaintingSession) -> CrashedCopy | None:
    """Return a copy that somebody painted while another held this mask, and whose program ended before it was saved."""
    if not journals_of(path, image.sha256) or holder_of(lock_path(path), me) is not None:
        return None
    sha256 = sha256_or_unknown(path)
    try:
        mask = load_any(path, image) if sha256 != NO_FILE else None
    except MaskError:
        return None
    crashed, painted = _crashed(path, image, me, sha256, mask)
    meta = {"annotator": _left_by(path, me)} if mask is None else mask.meta
    return CrashedCopy(path, painted, crashed, sha256, meta)


def _of_copy(other: Path, image: CellImage) -> list[str]:
    """Return the note on a copy that somebody painted while another held this mask."""
    if not exists(other):
        return []
    try:
        mask = load_any(other, image)
    except MaskError:
        return []
    if mask.warning:
        return []
    person = mask.meta.get("annotator")
    if person is None:
        return [_("{name} is a second mask of this image: compare the two.").format(name=other.name)]
    text = _("{name} is a second mask of this image, painted by {person}: compare the two.")
    return [text.format(name=other.name, person=person)]
