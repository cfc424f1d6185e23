import argparse
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.proposing import bench_cli, effort
from allxai_desktop.proposing.effort import (
    CYTOPLASM,
    NUCLEUS,
    REST,
    STEPS,
    UNKNOWN,
    Effort,
    Truth,
    iou,
    mean_overlaps,
    middle_of_largest_error,
    pairs,
    read_truth,
    simulate,
    spread_evenly,
)
from allxai_desktop.proposing.proposal import Proposal


def truth(groups):
    groups = np.array(groups, np.uint8)
    return Truth(groups, np.where(groups == REST, 0, groups).astype(np.uint8))


def test_iou_of_a_group_counts_vacuoles_as_cytoplasm_and_leaves_unknown_pixels_out():
    proposed = np.array([[1, 2, 3, 4, 1]], np.uint8)
    true = truth([[NUCLEUS, CYTOPLASM, CYTOPLASM, CYTOPLASM, UNKNOWN]])
    assert iou(proposed, true, NUCLEUS) == 1
    assert iou(proposed, true, CYTOPLASM) == 2 / 3
    assert math.isnan(iou(np.full((1, 1), 5, np.uint8), truth([[REST]]), NUCLEUS))


def test_the_disc_goes_into_the_middle_of_the_largest_error_of_one_class():
    true = np.full((20, 30), REST, np.uint8)
    true[2:9, 2:9] = NUCLEUS
    true[2:9, 9:20] = CYTOPLASM
    assert middle_of_largest_error(np.full((20, 30), 4, np.uint8), truth(true)) == (5, 12)


def test_red_cell_for_background_is_no_error_where_truth_knows_only_rest():
    assert middle_of_largest_error(np.array([[4, 5]], np.uint8), truth([[REST, REST]])) is None


def test_an_error_at_the_border_is_met_at_the_border_s_distance():
    true = np.full((9, 9), REST, np.uint8)
    true[:, :3] = NUCLEUS
    assert middle_of_largest_error(np.full((9, 9), 5, np.uint8), truth(true))[1] == 1


class Learner:
    """Proposes what the person painted, and background, or else what its correction says."""

    def __init__(self, image, correction=None):
        self.shape = image.pixels.shape[:2]
        self.code = 5 if correction is None else correction

    def lesson(self, codes):
        return codes.max()

    def start(self):
        return Proposal(
            np.full(self.shape, self.code, np.uint8), np.zeros(self.shape, np.float32), "classical"
        )

    def update(self, codes, person):
        return Proposal(np.where(person, codes, 5), np.zeros(self.shape, np.float32), "classifier")


def test_an_interaction_paints_one_disc(monkeypatch):
    monkeypatch.setattr(effort, "Proposer", Learner)
    true = np.full((80, 80), REST, np.uint8)
    true[10:71, 10:71] = NUCLEUS
    found = simulate(image_from_array(np.full((80, 80, 3), 200, np.uint8), "a.png"), truth(true))
    disc = sum(math.hypot(row, column) <= 5 for row in range(-5, 6) for column in range(-5, 6))
    assert found.nucleus[:2] == (0, disc / 61**2)
    assert np.isnan(found.cytoplasm).all()
    assert len(found.update_seconds) == STEPS[-1]


def test_a_disc_stops_at_the_border_of_what_it_is(monkeypatch):
    monkeypatch.setattr(effort, "Proposer", Learner)
    true = np.full((40, 40), REST, np.uint8)
    true[20:24] = CYTOPLASM
    found = simulate(image_from_array(np.full((40, 40, 3), 200, np.uint8), "a.png"), truth(true))
    # The middle is the first that is two pixels from the rim: row 21, column 1.
    part = sum(math.hypot(row, column) <= 5 for row in range(-1, 3) for column in range(-1, 6))
    assert found.cytoplasm[:2] == (0, part / 160)


def test_a_picture_of_three_greys_or_of_three_numbers_is_read(tmp_path):
    image = image_from_array(np.zeros((1, 3, 3), np.uint8), "a.png")
    for name, values in (("a.png", [[0, 128, 255]]), ("b.png", [[0, 2, 1]])):
        Image.fromarray(np.array(values, np.uint8)).save(tmp_path / name)
        found = read_truth(tmp_path / name, image)
        assert found.groups.tolist() == [[REST, CYTOPLASM, NUCLEUS]]
        assert found.codes.tolist() == [[0, 2, 1]]


def test_our_mask_keeps_its_codes(tmp_path):
    codes = np.array([[0, 1, 2, 3, 4, 5]], np.uint8)
    save_mask(tmp_path / "a.npz", codes)
    found = read_truth(tmp_path / "a.npz", image_from_array(np.zeros((1, 6, 3), np.uint8), "a.png"))
    assert found.groups.tolist() == [[UNKNOWN, NUCLEUS, CYTOPLASM, CYTOPLASM, REST, REST]]
    assert found.codes.tolist() == codes.tolist()


@pytest.mark.parametrize(("values", "words"), [([[7, 8, 9]], "must hold"), ([[0, 1]], "another size")])
def test_another_picture_is_refused(tmp_path, values, words):
    Image.fromarray(np.array(values, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(AllxaiError, match=words):
        read_truth(tmp_path / "a.png", image_from_array(np.zeros((1, 3, 3), np.uint8), "a.png"))


def test_images_and_masks_are_matched_by_name(tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder, names in (
        (images, ("a.jpg", "b.bmp", "c.png")),
        (masks, ("a_mask.png", "b.png", "c.npz", "d.png")),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    assert [(image.name, mask.name) for image, mask in pairs(images, masks)] == [
        ("a.jpg", "a_mask.png"),
        ("b.bmp", "b.png"),
        ("c.png", "c.npz"),
    ]


def test_images_and_masks_may_lie_in_one_folder(tmp_path):
    for name in ("1.bmp", "1.png"):
        (tmp_path / name).touch()
    assert [(image.name, mask.name) for image, mask in pairs(tmp_path, tmp_path)] == [("1.bmp", "1.png")]


def test_folders_without_a_pair_are_refused(tmp_path):
    with pytest.raises(AllxaiError, match="the names must be the same"):
        pairs(tmp_path, tmp_path)


def test_some_of_the_images_are_spread_evenly():
    found = [(Path(f"{number}.jpg"), Path(f"{number}.png")) for number in range(10)]
    assert [image.stem for image, _mask in spread_evenly(found, 4)] == ["0", "2", "5", "7"]
    assert spread_evenly(found, None) == spread_evenly(found, 99) == found
    assert len(spread_evenly(found, 0)) == 1


def test_the_mean_leaves_out_images_without_what_is_measured():
    def one(nucleus, cytoplasm):
        return Effort((nucleus,) * len(STEPS), (cytoplasm,) * len(STEPS), 0.1, ())

    first = mean_overlaps([one(0.5, np.nan), one(1.0, 0.25)])[0]
    assert first == (0, 0.75, 0.25)
    assert math.isnan(mean_overlaps([one(0.5, np.nan)])[0][2])


def test_the_command_prints_a_row_for_each_number_of_discs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(effort, "Proposer", Learner)
    for name in ("a", "b"):
        Image.fromarray(np.full((30, 30, 3), 200, np.uint8)).save(tmp_path / f"{name}.bmp")
        Image.fromarray(np.full((30, 30), 255, np.uint8)).save(tmp_path / f"{name}.png")
    parser = argparse.ArgumentParser()
    bench_cli.add_arguments(parser)
    bench_cli.run(
        parser.parse_args(["annotate", "--images", str(tmp_path), "--masks", str(tmp_path), "--limit", "1"])
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 of 2 images")
    assert lines[2].split() == ["0", "0.000", "nan"]
    assert [line.split()[0] for line in lines[2:8]] == list(map(str, STEPS))
    assert lines[8].startswith("first proposal")


def test_the_images_that_are_finished_first_teach_and_are_not_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(effort, "Proposer", Learner)
    monkeypatch.setattr(effort, "Correction", lambda lessons: lessons[0])
    for name, value in (("a", 128), ("b", 255), ("c", 128)):
        Image.fromarray(np.full((30, 30, 3), 200, np.uint8)).save(tmp_path / f"{name}.bmp")
        Image.fromarray(np.full((30, 30), value, np.uint8)).save(tmp_path / f"{name}.png")
    parser = argparse.ArgumentParser()
    bench_cli.add_arguments(parser)
    bench_cli.run(
        parser.parse_args(
            ["annotate", "--images", str(tmp_path), "--masks", str(tmp_path), "--finished", "1"]
        )
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 of 3 images")
    # Taught by the cytoplasm of the first, all is cytoplasm: wrong in the second, right in the third.
    assert lines[2].split() == ["0", "0.000", "0.500"]


def test_a_single_image_is_measured_not_finished_first(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(effort, "Proposer", Learner)
    Image.fromarray(np.full((30, 30, 3), 200, np.uint8)).save(tmp_path / "a.bmp")
    Image.fromarray(np.full((30, 30), 255, np.uint8)).save(tmp_path / "a.png")
    parser = argparse.ArgumentParser()
    bench_cli.add_arguments(parser)
    bench_cli.run(
        parser.parse_args(
            ["annotate", "--images", str(tmp_path), "--masks", str(tmp_path), "--finished", "1"]
        )
    )
    assert capsys.readouterr().out.startswith("1 of 1 images")


def test_a_missing_folder_is_named(tmp_path):
    options = argparse.Namespace(images=tmp_path / "none", masks=tmp_path, limit=None)
    with pytest.raises(AllxaiError, match="none is no folder"):
        bench_cli.run(options)
