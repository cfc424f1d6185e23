"""What a training window makes its runs by."""

import json
from os.path import exists, isfile
from pathlib import Path
from typing import Protocol

from platformdirs import user_documents_path

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import CARD_FILE
from allxai_desktop.networks.registry import find_networks
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.run_folder import SETTINGS_FILE, offer
from allxai_desktop.training.run_types import Request, RunResult, Watcher


class Trainer(Protocol):
    """What a run is made by; called on worker threads."""

    def train(self, request: Request, watcher: Watcher) -> RunResult:
        """Carry the run out."""

    def resumable(self, folder: Path) -> bool:
        """Return whether `folder` holds a run that was broken off."""

    def starts(self, architecture: str) -> list[tuple[str, str]]:
        """Return name and title of each network of the program that a run of `architecture` can start from."""

    def former(self, folder: Path, data: Path) -> Request:
        """Return the request to go on with the run in `folder`."""

    def offer(self, folder: Path) -> str:
        """Offer the network of a finished run in the program, and return its name."""


def runs_folder() -> Path:
    """Return where runs lie if nobody says otherwise; it need not exist."""
    return user_documents_path() / "AllXAI" / "runs"


class RunTrainer:
    """The runs of the program."""

    def train(self, request: Request, watcher: Watcher) -> RunResult:
        """Carry the run out. Raises `AllxaiError`."""
        from allxai_desktop.training.run import train

        return train(request, watcher)

    def starts(self, architecture: str) -> list[tuple[str, str]]:
        """Return name and title of each network of this architecture. Raises `NetworkError`."""
        return [
            (card.name, card.title) for card in find_networks().cards if card.architecture == architecture
        ]

    def resumable(self, folder: Path) -> bool:
        """Return whether `folder` holds a run that has no network yet."""
        # Unlike those of `Path`, these say no where a typed path is too long or may not be looked into.
        return isfile(folder / SETTINGS_FILE) and not exists(folder / CARD_FILE)

    def former(self, folder: Path, data: Path) -> Request:
        """Return the request to go on with the run in `folder` on `data`. Raises `TrainingError`."""
        try:
            settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
            settings["test_subjects"] = tuple(settings.get("test_subjects", ()))
            return Request(**settings, data=data, out=folder, resume=True)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise TrainingError(
                _("{name} cannot be read: begin the run anew in another folder.").format(name=SETTINGS_FILE)
            ) from error

    def offer(self, folder: Path) -> str:
        """Copy the network among the user's unless it is there, and return its name. Raises `AllxaiError`."""
        return offer(folder)
