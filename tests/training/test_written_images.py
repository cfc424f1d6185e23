import json

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.run_types import Request
from allxai_desktop.training.written_images import write_images


@pytest.fixture
def cells(tmp_path):
    for label, count in (("B", 10), ("T", 10), ("normal", 5)):
        folder = tmp_path / "cells" / label
        folder.mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng([ord(label[0]), number]).integers(0, 256, (6, 6, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "cells"


def test_the_training_part_is_written_with_its_copies_the_others_as_they_are(cells, tmp_path):
    out = tmp_path / "written"
    counts = write_images(Request("thesis-1-vgg19", cells, out, unseen=0))
    # 8 B and 8 T in four quarter turns; of 5 normal cells none is held out, and the rarest are mirrored too.
    assert counts == {"train": 8 * 4 + 8 * 4 + 5 * 5, "val": 2, "test": 2}
    assert len(list((out / "train" / "normal").iterdir())) == 25
    assert len(list((out / "test" / "B").iterdir())) == 1
    assert not json.loads((out / "augmentation.json").read_text())["leaking"]
    assert (out / "split.json").exists()


def test_as_published_the_copies_are_divided_and_it_is_said(cells, tmp_path):
    out = tmp_path / "written"
    counts = write_images(Request("thesis-1-vgg19", cells, out, unseen=0, as_published=True))
    # 40 B, 40 T and 25 normal copies; a tenth of each, rounded down, is held out twice.
    assert counts == {"train": 32 + 32 + 21, "val": 10, "test": 10}
    assert json.loads((out / "augmentation.json").read_text())["leaking"]


def test_a_folder_that_holds_something_is_refused_before_the_images_are_read(cells, tmp_path):
    with pytest.raises(TrainingError, match="is not empty"):
        write_images(Request("thesis-1-vgg19", tmp_path / "nowhere", cells))
