"""What goes out, read by the libraries that other people use for it."""

import json

import numpy as np
import pytest
import shapely
from pycocotools.coco import COCO

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.masks.coco import write_coco
from allxai_desktop.masks.geojson import write_geojson


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
def test_pycocotools_decodes_the_mask(tmp_path, codes, make, capsys):
    write_coco(tmp_path / "masks.json", [make(codes)])
    coco = COCO(tmp_path / "masks.json")
    found = np.zeros(codes.shape, np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[1])):
        inside = coco.annToMask(annotation)
        assert inside.sum() == annotation["area"]
        found += inside * np.uint8(annotation["category_id"])
    assert (found == codes).all()
    names = [category["name"] for category in coco.loadCats(coco.getCatIds())]
    assert names == [cls.key for cls in CLASSES]


def test_shapely_finds_valid_polygons_over_the_pixels_of_each_class(tmp_path, codes, make):
    write_geojson(tmp_path / "cell.geojson", make(codes))
    rows, columns = (axis.ravel() for axis in np.indices(codes.shape))
    found = np.zeros(codes.size, np.uint8)
    by_name = {cls.name: cls.code for cls in CLASSES}
    for feature in json.loads((tmp_path / "cell.geojson").read_text())["features"]:
        polygon = shapely.geometry.shape(feature["geometry"])
        assert polygon.is_valid, shapely.is_valid_reason(polygon)
        inside = shapely.contains_xy(polygon, columns + 0.5, rows + 0.5)
        assert polygon.area == pytest.approx(inside.sum())
        found += inside * np.uint8(by_name[feature["properties"]["classification"]["name"]])
    assert (found.reshape(codes.shape) == codes).all()
