"""The folder of a run: its settings, its curves, its card; and how its network comes into the program."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from os.path import exists
from pathlib import Path
from typing import Any

from allxai_desktop.errors import reason_of
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.networks.card import CARD_FILE, WEIGHTS_FILE, read_card
from allxai_desktop.networks.checkpoints import read_whole
from allxai_desktop.networks.registry import find_networks, was_loaded
from allxai_desktop.networks.user import save_network, user_folder
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.measuring.figures import Curves, draw_curves, save_picture
from allxai_desktop.training.measuring.page import Caption
from allxai_desktop.training.run_types import EpochRecord, Request

SETTINGS_FILE = "run.json"
SPLIT_FILE = "split.json"
CHECKPOINT_FILE = "checkpoint.pt"
CURVES_FILE = "curves.csv"
# What may differ between a run and its resumption.
_FREE = {"data", "out", "resume"}


def has_begun(request: Request) -> bool:
    """Return whether the folder holds this run already, which then goes on.

    Raises `TrainingError` for a folder with another run, or with one that is not to be resumed.
    """
    path = request.out / SETTINGS_FILE
    # Unlike that of `Path`, it says no where the path is too long or may not be looked into: making it says why.
    if not exists(path):
        return False
    if not request.resume:
        raise TrainingError(
            _("{folder} holds a run already: resume it, or choose another folder.").format(folder=request.out)
        )
    _check_settings(path, _settings(request))
    return True


def is_finished(request: Request) -> bool:
    """Return whether the folder holds this run with its card, the last thing that it writes. Raises as `has_begun`."""
    return has_begun(request) and (request.out / CARD_FILE).exists()


def open_folder(request: Request) -> bool:
    """Make the folder of the run where it has not begun; return whether it has. Raises as `has_begun`."""
    if has_begun(request):
        return True
    try:
        request.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            _("{folder} cannot be made ({reason}): choose another folder for the run.").format(
                folder=request.out, reason=reason_of(error)
            )
        ) from error
    content = json.dumps(_settings(request), ensure_ascii=False, indent=1) + "\n"
    write_whole(request.out / SETTINGS_FILE, content.encode())
    return False


def _settings(request: Request) -> dict[str, Any]:
    return {name: value for name, value in _plain(asdict(request)).items() if name not in _FREE}


def _check_settings(path: Path, settings: dict[str, Any]) -> None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in settings if found.get(name) != settings[name]]
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise TrainingError(
            _("{name} cannot be read: begin the run anew in another folder.").format(name=path.name)
        ) from error
    if other:
        raise TrainingError(
            _(
                "The run was begun with another setting ({name}: {old}, now {new}): resume it as it began."
            ).format(name=other[0], old=found.get(other[0]), new=settings[other[0]])
        )


def _plain(value: Any) -> Any:
    """Return `value` as JSON gives it back."""
    return json.loads(json.dumps(value, default=str))


def write_curves(folder: Path, records: Sequence[EpochRecord], caption: Caption) -> None:
    """Write the curves as table and as pictures. Raises `WriteError`."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(
        ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "validation_dice", "seconds"]
    )
    for found in records:
        numbers = (
            found.loss,
            found.accuracy,
            found.validation_loss,
            found.validation_accuracy,
            found.validation_dice,
        )
        rows.writerow(
            [found.number, *("" if one is None else f"{one:.6f}" for one in numbers), f"{found.seconds:.2f}"]
        )
    write_whole(folder / CURVES_FILE, stream.getvalue().encode())
    curves = Curves(
        [found.loss for found in records],
        [found.validation_loss for found in records],
        [found.accuracy for found in records],
        [found.validation_accuracy for found in records],
    )
    for kind in ("png", "pdf"):
        save_picture(folder / f"curves.{kind}", draw_curves(curves, caption))


def read_curves(folder: Path) -> list[EpochRecord]:
    """Return how the epochs of a finished run went; [] where its table is not there or cannot be read."""
    try:
        with (folder / CURVES_FILE).open(encoding="utf-8", newline="") as file:
            rows = [
                {name: float(text) if text else None for name, text in row.items()}
                for row in csv.DictReader(file)
            ]
        return [
            EpochRecord(
                number,
                len(rows),
                row["loss"] or 0.0,
                row["accuracy"],
                row["validation_loss"],
                row["validation_accuracy"],
                row["seconds"] or 0.0,
                0.0,
                row["validation_dice"],
            )
            for number, row in enumerate(rows, 1)
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write the card. Raises `WriteError`."""
    write_whole(folder / CARD_FILE, (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode())


def offer(folder: Path) -> str:
    """Copy the network of a finished run among the user's unless it is there, and return what it is called there.

    A name that this run of the program knows, also of a network that was removed meanwhile, is not given again.
    Raises `NetworkError` for a run without a network.
    """
    card = read_card(folder / CARD_FILE)
    taken = {found.name: found.sha256 for found in find_networks().cards}
    known = next((name for name, sha256 in taken.items() if sha256 == card.sha256), None)
    if known is not None:
        return known
    weights = read_whole(folder / WEIGHTS_FILE, card.sha256)
    name = next(
        name
        for name in _numbered(card.name)
        if name not in taken and not (user_folder() / name).exists() and not was_loaded(name)
    )
    raw = json.loads((folder / CARD_FILE).read_text(encoding="utf-8")) | {"name": name}
    save_network(raw, WEIGHTS_FILE, weights)
    return name


def _numbered(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 10**6):
        yield f"{name[:56]}-{number}"
