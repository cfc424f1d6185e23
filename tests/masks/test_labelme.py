import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.errors import AllxaiError
from allxai_desktop.masks import labels
from allxai_desktop.masks.labelme import read_labelme, write_labelme
from allxai_desktop.masks.labels import to_codes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cell.json"


def labelme(*shapes, size=(3, 4)):
    return {
        "shapes": [{"label": "rbc", "shape_type": "polygon"} | shape for shape in shapes],
        "imagePath": "..\\images\\cell.png",
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }


def picture(values):
    buffer = io.BytesIO()
    Image.fromarray(np.array(values, np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def codes_of(path, content):
    path.write_text(json.dumps(content))
    (entry,) = read_labelme(path)
    codes, notes = to_codes(entry.read(), {}, "cell")
    return codes.tolist(), notes


def test_a_mask_comes_back_exactly(path, codes, make, read_back):
    write_labelme(path, make(codes))
    assert (read_back(read_labelme(path)) == codes).all()


def test_only_the_name_of_the_image_goes_out(path, make):
    write_labelme(path, make(np.array([[4]], np.uint8)))
    content = json.loads(path.read_text())
    assert (content["imagePath"], content["imageData"]) == ("cell.png", None)
    assert content["shapes"][0]["points"] == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_the_image_is_called_as_the_file_says_or_as_the_file(path):
    path.write_text(json.dumps(labelme()))
    assert read_labelme(path)[0].names == ("cell.png", "cell")


def test_a_file_that_names_no_image_is_called_as_its_image(path):
    path.write_text(json.dumps(labelme() | {"imagePath": None}))
    assert read_labelme(path)[0].names == ("cell",)


def test_where_the_file_does_not_say_a_size_that_of_the_image_is_taken(path):
    square = {"points": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    path.write_text(json.dumps(labelme(square, size=(None, None))))
    (entry,) = read_labelme(path)
    codes, notes = to_codes(entry.read_sized((1, 2)), {}, "cell")
    assert codes.tolist() == [[4, 0]]
    said = "cell.json does not say how large its image is: it was taken for the one that is here."
    assert notes == (said,)


def test_rectangles_and_circles_are_filled(path):
    rectangle = {"shape_type": "rectangle", "points": [[4, 1], [2, 0]]}
    circle = {"shape_type": "circle", "points": [[1.5, 1.5], [1.5, 2.1]]}
    assert codes_of(path, labelme(rectangle))[0] == [[0, 0, 4, 4], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert codes_of(path, labelme(circle))[0] == [[0, 0, 0, 0], [0, 4, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("kind", ["rectangle", "oriented_rectangle", "rotation"])
def test_a_rectangle_may_name_its_four_corners(path, kind):
    shape = {"shape_type": kind, "points": [[2, 0], [4, 0], [4, 1], [2, 1]]}
    assert codes_of(path, labelme(shape)) == ([[0, 0, 4, 4], [0, 0, 0, 0], [0, 0, 0, 0]], ())


def test_a_mask_in_a_box_lies_where_the_box_begins(path):
    shape = {"shape_type": "mask", "points": [[1, 1], [3, 2]], "mask": picture([[0, 1, 1], [1, 1, 0]])}
    assert codes_of(path, labelme(shape))[0] == [[0, 0, 0, 0], [0, 0, 4, 4], [0, 4, 4, 0]]


def test_a_mask_in_a_box_is_cut_off_at_the_edge(path):
    shape = {"shape_type": "mask", "points": [[-1, -1], [0, 0]], "mask": picture(np.ones((2, 2)))}
    assert codes_of(path, labelme(shape))[0] == [[4, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_lines_and_points_are_counted_and_left_out(path):
    shapes = [{"shape_type": kind, "points": [[1, 1], [2, 2]]} for kind in ("line", "linestrip")]
    codes, notes = codes_of(path, labelme(*shapes, {"shape_type": "point", "points": [[1, 1]]}))
    assert not np.any(codes)
    assert notes == ("cell.json: 3 lines and points without an area were left out.",)


@pytest.mark.parametrize(
    "shape",
    [
        {"points": []},
        {"points": [["a", 1]]},
        {"points": None},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "AAAA"},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "%"},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]]},
        {"label": 4, "points": [[0, 0], [1, 1], [0, 1]]},
    ],
)
def test_damaged_shapes_are_one_sentence(path, shape):
    with pytest.raises(AllxaiError, match=r"^cell.json is damaged or cut short: export it again\.$"):
        codes_of(path, labelme(shape))


def test_regions_that_together_claim_too_much_are_refused(path, monkeypatch):
    square = {"points": [[0, 0], [4, 0], [4, 3], [0, 3]]}
    monkeypatch.setattr(labels, "MAX_REGION_PIXELS", 24)
    assert np.all(codes_of(path, labelme(square, square))[0])
    with pytest.raises(AllxaiError, match="regions of more than"):
        codes_of(path, labelme(square, square, square))


def test_a_file_cut_short_is_one_sentence(path):
    path.write_text(json.dumps(labelme())[:-9])
    with pytest.raises(AllxaiError, match="damaged"):
        read_labelme(path)
