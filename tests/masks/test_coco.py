import json

import numpy as np
import pytest

from allxai_desktop.errors import AllxaiError
from allxai_desktop.masks import labels
from allxai_desktop.masks.coco import read_coco, write_coco
from allxai_desktop.masks.labels import to_codes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "masks.json"


def coco(segmentation, size=(3, 4), **changes):
    """A file with one annotation, the class nucleus."""
    return {
        "images": [{"id": 7, "file_name": "C:\\ana\\cell.png", "height": size[0], "width": size[1]}],
        "categories": [{"id": 3, "name": "nucleus"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": segmentation} | changes],
    }


def codes_of(path, content):
    path.write_text(json.dumps(content))
    (entry,) = read_coco(path)
    return to_codes(entry.read(), {}, "cell")


def refused(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(AllxaiError) as caught:
        [entry.read() for entry in read_coco(path)]
    assert str(caught.value).endswith(".")
    return str(caught.value)


def test_a_mask_comes_back_exactly(path, codes, make, read_back):
    write_coco(path, [make(codes)])
    assert (read_back(read_coco(path)) == codes).all()


def test_what_a_part_looks_like(path, make):
    write_coco(path, [make(np.array([[0, 0, 0], [0, 4, 4], [0, 4, 0]], np.uint8))])
    content = json.loads(path.read_text())
    assert content["images"] == [{"id": 1, "file_name": "cell.png", "width": 3, "height": 3}]
    assert content["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 4,
            "segmentation": {"size": [3, 3], "counts": [4, 2, 1, 1, 1]},
            "area": 3,
            "bbox": [1, 1, 2, 2],
            "iscrowd": 0,
        }
    ]


def test_parts_that_do_not_touch_are_annotations_of_their_own(path, make):
    write_coco(path, [make(np.array([[4, 0, 4]], np.uint8)), make(np.array([[4]], np.uint8), "b.png")])
    content = json.loads(path.read_text())
    assert [(part["id"], part["image_id"]) for part in content["annotations"]] == [(1, 1), (2, 1), (3, 2)]


def test_the_name_of_the_image_has_no_folder(path):
    path.write_text(json.dumps(coco([[0, 0, 1, 0, 1, 1]])))
    assert read_coco(path)[0].names == ("cell.png",)


def test_polygons_are_read_in_pixel_edges(path):
    codes, notes = codes_of(path, coco([[1, 0, 3, 0, 3, 2, 1, 2], [0, 2, 1, 2, 1, 3, 0, 3]]))
    assert codes.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0]]
    assert notes == ()


@pytest.mark.parametrize("segmentation", [[1, 0, 3, 0, 3, 2, 1, 2], [[1, 0], [3, 0], [3, 2], [1, 2]]])
def test_a_single_outline_may_stand_without_its_list_or_in_pairs(path, segmentation):
    codes, notes = codes_of(path, coco(segmentation))
    assert (codes.tolist(), notes) == ([[0, 1, 1, 0], [0, 1, 1, 0], [0] * 4], ())


def test_a_line_without_an_area_is_left_out_with_a_word(path):
    codes, notes = codes_of(path, coco([[1, 0, 3, 0]]))
    assert not codes.any()
    assert notes == ("masks.json (cell.png): a line or point without an area was left out.",)


def test_compressed_run_lengths_are_read(path):
    # What pycocotools.mask.encode makes of [[0 1 1 0], [0 1 1 0], [1 0 0 0]].
    codes, _notes = codes_of(path, coco({"size": [3, 4], "counts": "231O3"}))
    assert codes.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0]]


def test_compressed_differences_of_run_lengths_are_read(path):
    # What pycocotools.mask.encode makes of a frame: rows 2 to 39, columns 1 to 5, without rows 10 to 29 of column 3.
    codes, _notes = codes_of(path, coco({"size": [50, 7], "counts": "d1V1<00RO82Hl000`1"}, size=(50, 7)))
    frame = np.zeros((50, 7), int)
    frame[2:40, 1:6] = 1
    frame[10:30, 3] = 0
    assert codes.tolist() == frame.tolist()


@pytest.mark.parametrize("counts", [[0, 1, 0, 2, 9], [0, 1, 0, 2, 2, 0, 7], [0, 3, 9], [0, 3, 9, 0]])
def test_runs_of_nothing_change_nothing(path, counts):
    codes, _notes = codes_of(path, coco({"size": [3, 4], "counts": counts}))
    assert codes.tolist() == [[1, 0, 0, 0]] * 3


def test_a_region_without_pixels_is_nothing(path):
    codes, _notes = codes_of(path, coco({"size": [3, 4], "counts": [12]}))
    assert not codes.any()


def test_an_image_without_annotations_is_unlabelled(path):
    codes, _notes = codes_of(path, coco(None) | {"annotations": []})
    assert codes.tolist() == np.zeros((3, 4)).tolist()


def test_boxes_are_counted_and_left_out(path):
    codes, notes = codes_of(path, coco([], bbox=[0, 0, 2, 2]))
    assert not codes.any()
    assert notes == ("masks.json (cell.png): a box without an outline was left out.",)


def test_what_leaves_the_image_is_cut_off_with_a_word(path):
    codes, notes = codes_of(path, coco([[2, 1, 40, 1, 40, 2, 2, 2]]))
    assert codes.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    assert notes == ("masks.json (cell.png): a region leaves the image and was cut off.",)


def test_what_is_outside_belongs_to_another_image(path):
    assert "drawn on an image of another size" in refused(path, coco([[20, 1, 40, 1, 40, 2, 20, 2]]))


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [3, 4], "counts": [4, 7]},
        {"size": [3, 4], "counts": [4, -1, 9]},
        {"size": [3, 4], "counts": [4, "8"]},
        {"size": [3, 4], "counts": [1e30, 8]},
        {"size": [3, 4], "counts": "2"},
        {"size": [3, 4], "counts": "231O3P"},
        {"size": [3, 4], "counts": "oooooooooo"},
        {"size": [3, 4], "counts": "ñ"},
        {"size": [3, 4]},
        [[1, 2, 3]],
        [["a", "b"]],
        [[1e300, 0, 1, 1, 0, 1]],
        [[[]]],
    ],
)
def test_damaged_outlines_are_one_sentence(path, segmentation):
    assert refused(path, coco(segmentation)) == (
        "masks.json (cell.png) is damaged or cut short: export it again."
    )


def test_a_size_is_read_that_is_written_with_a_point(path):
    assert codes_of(path, coco([[0, 0, 2, 0, 2, 1, 0, 1]], (3.0, 4.0)))[0].tolist()[0] == [1, 1, 0, 0]
    assert "damaged" in refused(path, coco([[0, 0, 2, 0, 2, 1, 0, 1]], (3.5, 4.0)))


@pytest.mark.parametrize("size", [(None, 4), (None, None)])
def test_where_the_file_does_not_say_a_size_that_of_the_image_is_taken(path, size):
    path.write_text(json.dumps(coco([[0, 0, 2, 0, 2, 1, 0, 1]], size)))
    (entry,) = read_coco(path)
    codes, notes = to_codes(entry.read_sized((2, 3)), {}, "cell")
    assert codes.tolist() == [[1, 1, 0], [0, 0, 0]]
    said = "does not say how large its image is: it was taken for the one that is here."
    assert notes == (f"masks.json (cell.png) {said}",)


def test_the_size_that_a_file_says_is_not_that_of_any_image(path):
    path.write_text(json.dumps(coco([])))
    assert read_coco(path)[0].read_sized is None


def test_run_lengths_of_another_size_are_refused(path):
    assert "another size than its image" in refused(path, coco({"size": [4, 3], "counts": [12]}))


def test_a_huge_image_is_refused_before_anything_is_made(path):
    content = coco({"size": [10**6, 10**6], "counts": [10**12]}, size=(10**6, 10**6))
    assert "million pixels" in refused(path, content)


def test_regions_that_together_claim_too_much_are_refused(path, monkeypatch):
    square = [0, 0, 4, 0, 4, 3, 0, 3]
    monkeypatch.setattr(labels, "MAX_REGION_PIXELS", 24)
    assert codes_of(path, coco([square, square]))[0].all()
    assert "regions of more than" in refused(path, coco([square, square, square]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_accents_are_read_in_the_encodings_of_windows_too(path, encoding):
    content = coco([[0, 0, 2, 0, 2, 1, 0, 1]])
    content["categories"][0]["name"] = "núcleo"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    assert read_coco(path)[0].read().labels == ["núcleo"]


@pytest.mark.parametrize(
    ("image", "category"), [("a7", "n"), (7.0, 3.0), ("7", 3)], ids=["text", "with a point", "mixed"]
)
def test_identities_may_be_texts_or_have_a_point(path, image, category):
    content = coco([[0, 0, 2, 0, 2, 1, 0, 1]], image_id=image, category_id=category)
    if isinstance(category, str):
        content["images"][0]["id"], content["categories"][0]["id"] = image, category
    assert codes_of(path, content)[0].tolist() == [[1, 1, 0, 0], [0] * 4, [0] * 4]


@pytest.mark.parametrize("identity", [7.5, True, None, [7]])
def test_what_identifies_nothing_is_refused(path, identity):
    assert "damaged" in refused(path, coco([], image_id=identity))


@pytest.mark.parametrize(
    ("table", "other", "said"),
    [
        ("images", {"id": 7, "file_name": "b.png", "height": 3, "width": 4}, "b.png the same number, 7:"),
        ("images", {"id": 7, "file_name": "D:\\cell.png", "height": 3, "width": 4}, "the same number, 7:"),
        ("categories", {"id": 3, "name": "rbc"}, "masks.json gives nucleus and rbc the same number, 3:"),
    ],
)
def test_of_two_that_share_an_identity_none_gets_the_regions_of_the_other(path, table, other, said):
    content = coco([[0, 0, 2, 0, 2, 1, 0, 1]])
    content[table].append(other)
    assert said in refused(path, content)


def test_a_part_along_the_edge_is_not_outside(path):
    codes, notes = codes_of(path, coco([[0, 0, 0, 2, 0, 3], [0, 0, 2, 0, 2, 1, 0, 1]]))
    assert (codes.tolist(), notes) == ([[1, 1, 0, 0], [0] * 4, [0] * 4], ())


@pytest.mark.parametrize("change", [{"image_id": 8}, {"category_id": 4}])
def test_annotations_of_nothing_are_refused(path, change):
    assert "does not list" in refused(path, coco([], **change))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"images": []}', pytest.param("[" * 100_000, id="deep"), '{"images": {}}']
)
def test_a_file_that_is_no_coco_is_one_sentence(path, text):
    assert refused(path, text) == "masks.json is damaged or cut short: export it again."
