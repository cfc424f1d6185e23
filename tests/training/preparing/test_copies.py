import json
from collections import Counter
from functools import partial

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.training.datasets.data import Item, TrainingError, read_class_folders, read_mask_folders
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.splits import Split, hold_out, stratified_split
from allxai_desktop.training.preparing.copies import (
    Augmented,
    Copy,
    augment_as_published,
    augment_training,
    balanced_copies,
    epoch_order,
    random_view,
    thesis_copies,
    write_copies,
)
from allxai_desktop.training.preparing.views import View

THESIS = ["b"] * 135 + ["t"] * 135 + ["normal"] * 93
TENTHS = partial(stratified_split, val=0.1, test=0.1, seed=0)
mirrored = partial(thesis_copies, mirrored={"normal"})


def test_the_363_images_of_the_thesis_become_1545():
    copies = thesis_copies(THESIS, {"normal"})
    assert len(copies) == len(set(copies)) == 1545
    assert Counter(THESIS[copy.position] for copy in copies) == {"b": 540, "t": 540, "normal": 465}
    assert [copy.view.name for copy in copies[-5:]] == ["rot0", "rot90", "rot180", "rot270", "mirror"]


def test_as_published_the_copies_are_split_and_leak():
    found = augment_as_published(THESIS, mirrored, TENTHS)
    assert [len(part) for part in found.parts.values()] == [1237, 154, 154, 0]
    assert Counter(THESIS[copy.position] for copy in found.test) == {"b": 54, "t": 54, "normal": 46}
    assert found.leaking
    assert {copy.position for copy in found.test} & {copy.position for copy in found.train}


def test_as_published_images_never_seen_are_not_copied():
    labels = ["ill"] * 130 + ["well"] * 130
    unseen, _ = hold_out(labels, range(260), count=30, seed=0)
    found = augment_as_published(labels, partial(balanced_copies, count=1000, seed=0), TENTHS, unseen)
    assert found.unseen == [Copy(position) for position in unseen]
    assert sum(map(len, (found.train, found.val, found.test))) == 2000
    seen = {copy.position for part in (found.train, found.val, found.test) for copy in part}
    assert len(seen) == 200
    assert not seen & set(unseen)


def test_only_the_training_part_is_augmented():
    split = Split([0, 2, 4], [1], [3], [5])
    found = augment_training(split, ["a", "a", "b", "b", "b", "b"], partial(thesis_copies, mirrored=set()))
    assert Counter(copy.position for copy in found.train) == {0: 4, 2: 4, 4: 4}
    assert (found.val, found.test, found.unseen) == ([Copy(1)], [Copy(3)], [Copy(5)])
    assert not found.leaking


def test_a_split_of_copies_that_keeps_them_together_does_not_leak():
    found = augment_as_published(["a"] * 4, lambda labels: [Copy(i) for i in range(4)], TENTHS)
    assert not found.leaking


def test_a_hundred_images_become_a_thousand_different_views():
    labels = ["a"] * 100 + ["b"] * 300
    copies = balanced_copies(labels, 1000, seed=1)
    assert len(set(copies)) == len(copies) == 2000
    assert Counter(labels[copy.position] for copy in copies) == {"a": 1000, "b": 1000}
    numbers = Counter(copy.position for copy in copies)
    assert {numbers[i] for i in range(100)} == {10}
    assert {numbers[i] for i in range(100, 400)} == {3, 4}
    first = [copy.view for copy in copies if copy.position == 7]
    assert first[0] == View()
    assert {view.symmetry for view in first[:8]} == set(range(8))
    assert {view.zoom for view in first[:8]} == {1.0}
    assert {view.zoom for view in first[8:]} == {1.2}


def test_beyond_sixteen_views_the_zoom_is_drawn():
    copies = balanced_copies(["a"], 1000, seed=0)
    assert len(set(copies)) == 1000
    assert all(1 <= copy.view.zoom <= 1.2 for copy in copies)
    assert len({copy.view.name for copy in copies}) == 1000


def test_of_too_many_images_some_are_drawn():
    copies = balanced_copies(["a"] * 50, 20, seed=0)
    assert len({copy.position for copy in copies}) == 20
    assert {copy.view for copy in copies} == {View()}


def test_copies_depend_on_the_seed_alone():
    labels = ["a"] * 10
    drawn = [balanced_copies(labels, 35, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_views_of_an_epoch_depend_on_seed_epoch_and_item():
    whole = [random_view(3, 5, item) for item in range(200)]
    assert [random_view(3, 5, item) for item in range(100, 200)] == whole[100:]
    assert [random_view(3, 6, item) for item in range(200)] != whole
    assert [random_view(4, 5, item) for item in range(200)] != whole
    assert {view.symmetry for view in whole} == set(range(8))
    assert all(1 <= view.zoom <= 1.2 for view in whole)
    assert 60 < sum(view.zoom == 1 for view in whole) < 140


def test_the_zoom_of_a_view_goes_as_far_as_is_said():
    usual, wide = ([random_view(3, 5, item, zoom).zoom for item in range(200)] for zoom in (1.2, 1.44))
    # The square of a factor is as far again on the scale that is drawn from.
    assert wide == pytest.approx([factor**2 for factor in usual])


def test_the_order_of_an_epoch_depends_on_seed_and_epoch():
    orders = [epoch_order(50, *numbers).tolist() for numbers in ((1, 2), (1, 2), (1, 3), (2, 2))]
    assert orders[0] == orders[1]
    assert orders[0] not in orders[2:]
    assert sorted(orders[0]) == list(range(50))


@pytest.fixture
def folder(tmp_path):
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
        Image.fromarray(pixels).save(tmp_path / "in" / label / "1.png")
    Image.fromarray(pixels).save(tmp_path / "in" / "a" / "1.bmp")
    return tmp_path


def test_copies_are_written_out_with_where_they_came_from(folder):
    items = read_class_folders(folder / "in")
    augmented = Augmented([Copy(0), Copy(1), Copy(1, View(1))], [Copy(2)], [], [], leaking=True)
    shares: list[float] = []
    write_copies(folder / "in", items, augmented, folder / "out", shares.append)
    files = [path.relative_to(folder / "out").as_posix() for path in sorted((folder / "out").rglob("*.png"))]
    assert files == [
        "train/a/a_1.bmp_rot0.png",
        "train/a/a_1.png_rot0.png",
        "train/a/a_1.png_rot90.png",
        "val/b/1_rot0.png",
    ]
    turned = np.asarray(Image.open(folder / "out" / files[2]))
    assert np.array_equal(turned, np.rot90(np.asarray(Image.open(folder / "in" / "a" / "1.png"))))
    content = json.loads((folder / "out" / "augmentation.json").read_text(encoding="utf-8"))
    assert content["leaking"] is True
    assert content["images"][2] == {"file": files[2], "from": "a/1.png"}
    assert shares == [0, 0.25, 0.5, 0.75, 1]


def test_a_class_name_cannot_lead_out_of_the_folder(folder):
    items = [Item("a/1.png", "../../x")]
    write_copies(folder / "in", items, Augmented([Copy(0)], [], [], [], False), folder / "out")
    assert [path.name for path in (folder / "out" / "train").iterdir()] == ["_.._x"]


def test_masks_are_written_beside_their_images_with_their_labels(folder):
    labels = np.array([[0, 300, 0, 1], [2, 0, 0, 0]], np.uint16)
    (folder / "in" / "masks").mkdir()
    Image.fromarray(labels).save(folder / "in" / "masks" / "1.png")
    items = [Item("b/1.png", "", None, "masks/1.png")]
    copies = [Copy(0, View(1)), Copy(0, View(0, 2.0))]
    write_copies(folder / "in", items, Augmented(copies, [], [], [], False), folder / "out")
    found = read_mask_folders(folder / "out" / "train")
    assert [item.file for item in found] == ["images/1_rot0_zoom2.png", "images/1_rot90.png"]
    masks = [read_label_mask(folder / "out" / "train" / item.mask) for item in found]
    assert masks[0].tolist() == [[300, 300, 0, 0], [0, 0, 0, 0]]
    assert masks[1].tolist() == np.rot90(labels).tolist()


def test_a_folder_that_cannot_be_made_is_named(folder):
    with pytest.raises(TrainingError, match="cannot be made"):
        write_copies(folder / "in", [], Augmented([], [], [], [], False), folder / "in" / "a" / "1.png")


def test_nothing_is_written_into_a_folder_in_use(folder):
    with pytest.raises(TrainingError, match="not empty"):
        write_copies(folder / "in", [], Augmented([], [], [], [], False), folder / "in")
