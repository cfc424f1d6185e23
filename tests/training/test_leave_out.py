import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.leave_out import leave_each_out
from allxai_desktop.training.run_types import Request, Unwatched

pytestmark = pytest.mark.slow


@pytest.fixture
def request_(tmp_path):
    """Three subjects with four dark and four bright images each."""
    random = np.random.default_rng(0)
    for number, name in enumerate(("all", "hem")):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for place in range(12):
            pixels = random.integers(0, 100, (32, 32, 3), np.uint8) + np.uint8(120 * number)
            Image.fromarray(pixels).save(tmp_path / "cells" / name / f"S{place % 3}_{place}.png")
    return Request("two-conv-32", tmp_path / "cells", tmp_path / "out", groups=r"^(S\d)_", epochs=1)


def test_each_subject_is_measured_by_a_network_that_never_saw_it(request_):
    found = leave_each_out(request_)
    assert set(found.accuracies) == {"S0", "S1", "S2"}
    assert found.evaluation.images == 24
    assert found.evaluation.groups == 3
    for number, subject in enumerate(("s0", "s1", "s2")):
        folder = request_.out / f"{number + 1:02d}-{subject}"
        parts = json.loads((folder / "split.json").read_text())["parts"]
        assert {entry["subject"] for entry in parts["test"]} == {subject.upper()}
        assert subject.upper() not in {entry["subject"] for entry in parts["train"]}
        card = json.loads((folder / "card.json").read_text())
        assert card["metrics"]["each_subject_left_out"]["by_subject"] == found.accuracies


def test_a_sweep_that_was_broken_off_goes_on(request_):
    whole = leave_each_out(request_)

    class Stopping(Unwatched):
        notes = 0

        def note(self, sentence):
            self.notes += sentence.startswith("Without")
            if self.notes == 3:
                raise KeyboardInterrupt

    other = replace(request_, out=request_.out.with_name("other"))
    with pytest.raises(KeyboardInterrupt):
        leave_each_out(other, Stopping())
    resumed = leave_each_out(replace(other, resume=True))
    assert resumed.evaluation.confusion.tolist() == whole.evaluation.confusion.tolist()


def test_that_a_subject_is_of_one_class_is_not_told_of_each(request_):
    class Listening(Unwatched):
        notes = ()

        def note(self, sentence):
            self.notes += (sentence,)

    listening = Listening()
    for path in (request_.data / "hem").iterdir():
        path.rename(path.with_name(f"H{path.name}"))
    leave_each_out(replace(request_, groups=r"^(H?S\d)_"), listening)
    assert not [note for note in listening.notes if "“Test” has no image" in note]


def test_subjects_must_be_known(request_):
    with pytest.raises(TrainingError, match="needs the subject of every image"):
        leave_each_out(replace(request_, groups=None))
