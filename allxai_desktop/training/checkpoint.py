"""The state of a run after an epoch: one file, written whole, read without running what it holds."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from allxai_desktop.files import WriteError, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data import TrainingError

State = dict[str, Any]


def write_state(path: Path, state: State) -> None:
    """Put `state` in place of the checkpoint. Raises `TrainingError`; the former one is then untouched."""
    stream = io.BytesIO()
    torch.save(state, stream)
    try:
        write_whole(path, stream.getbuffer())
    except WriteError as error:
        raise TrainingError(
            _("{problem} The run stopped; it goes on from its last checkpoint when it is resumed.").format(
                problem=error
            )
        ) from error


def read_state(path: Path, plan: str) -> State | None:
    """Return the state in the checkpoint at `path`, None where there is none.

    Raises `TrainingError` for a damaged one, and for one whose plan is not `plan`.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["plan"]
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise TrainingError(
            _("The checkpoint {name} is damaged: delete it and begin the run anew.").format(name=path.name)
        ) from error
    if found != plan:
        raise TrainingError(
            _(
                "The checkpoint {name} is of a run with other settings: resume with those, or choose another folder."
            ).format(name=path.name)
        )
    return dict(state)
