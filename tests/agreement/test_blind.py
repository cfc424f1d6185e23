"""A second annotation in the open workspace: nothing of the first one is read while it is made."""

import builtins
import io
from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.agreement.plan import SecondPlan
from allxai_desktop.masks.npz import load_mask


@pytest.fixture
def opened_files(monkeypatch):
    """Return the files that are opened from now on, by Python's own means."""
    found = set()
    real = io.open

    def note(path, *args, **options):
        if isinstance(path, str | Path):
            found.add(Path(path).resolve())
        return real(path, *args, **options)

    monkeypatch.setattr(io, "open", note)
    monkeypatch.setattr(builtins, "open", note)
    return found


def test_the_second_annotator_starts_on_an_empty_mask_and_saves_beside_the_first(
    study, workspace, pump, opened_files
):
    plan = SecondPlan(study)
    plan.start("A02", 1, 0)
    firsts = {item.mask_path: item.mask_path.read_bytes() for item in study.items}
    blind = plan.blind_study("A02")
    opened_files.clear()
    workspace.open_study(blind)
    pump.until(lambda: workspace.index is not None)
    assert not workspace.paint.codes.any()
    workspace.paint.apply(np.arange(24), 5)
    workspace.step(1)
    pump.until(lambda: workspace.index == 1 and workspace.saved == "saved")
    assert not workspace.unsaved()
    own = study.folder / "second" / "A02" / "cell_1.npz"
    assert blind.items[0].image_path.resolve() in opened_files
    assert not opened_files & {path.resolve() for path in firsts}
    assert all(path.read_bytes() == before for path, before in firsts.items())
    found = load_mask(own)
    assert (found.codes == 5).all()
    assert found.meta["annotator"] == "A02"


def test_states_of_the_second_annotation_are_kept_on_their_own(study):
    plan = SecondPlan(study)
    plan.start("A02", 1, 0)
    assert (study.folder / "second" / "A02" / "study.sqlite").is_file()
