"""The formats that only go out, and those of one picture or one `.npz`."""

import csv
import json
import uuid

import numpy as np
import pytest
import tifffile
from PIL import Image
from written import content

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.masks.class_counts import write_counts
from allxai_desktop.masks.exported import Exported
from allxai_desktop.masks.formats import EXPORTS, IMPORTS, export_format, read_entries
from allxai_desktop.masks.geojson import write_geojson
from allxai_desktop.masks.indexed_png import write_indexed_png
from allxai_desktop.masks.labels import to_codes
from allxai_desktop.masks.npz import MaskError, load_mask
from allxai_desktop.masks.npz_study import read_npz, write_npz, write_npz_study
from allxai_desktop.masks.ome_tiff import write_ome_tiff
from allxai_desktop.masks.outlines import fill
from allxai_desktop.masks.pictures import read_picture

CODES = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)

# Pictures


def test_an_indexed_png_comes_back_exactly(tmp_path, codes, make, read_back):
    path = tmp_path / "cell.png"
    write_indexed_png(path, make(codes))
    assert (read_back(read_picture(path)) == codes).all()


def test_an_indexed_png_shows_the_colours_of_the_classes(tmp_path, make):
    write_indexed_png(tmp_path / "cell.png", make(CODES))
    with Image.open(tmp_path / "cell.png") as picture:
        assert picture.mode == "P"
        assert np.asarray(picture).tolist() == CODES.tolist()
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3).tolist()
    assert colours == [[0, 0, 0], *(list(cls.color) for cls in CLASSES)]


def test_an_ome_tiff_comes_back_exactly(tmp_path, codes, make, read_back):
    path = tmp_path / "cell.ome.tif"
    write_ome_tiff(path, make(codes))
    assert (read_back(read_picture(path)) == codes).all()


def test_an_ome_tiff_knows_the_size_of_a_pixel_and_no_path(tmp_path, make):
    write_ome_tiff(tmp_path / "cell.ome.tif", make(CODES, pixel_size_um=0.1))
    with tifffile.TiffFile(tmp_path / "cell.ome.tif") as tif:
        (image,) = (tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"],)
        tags = {tag.name for tag in tif.pages.first.tags}
    assert (image["Pixels"]["PhysicalSizeX"], image["Pixels"]["PhysicalSizeY"]) == (0.1, 0.1)
    assert image["Name"] == "cell"
    assert not tags & {"DateTime", "Artist", "HostComputer", "DocumentName"}


def test_a_name_that_xml_cannot_hold_breaks_no_ome_tiff(tmp_path, make):
    write_ome_tiff(tmp_path / "cell.ome.tif", make(CODES, "a\x01 <&>.png"))
    with tifffile.TiffFile(tmp_path / "cell.ome.tif") as tif:
        assert tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Name"] == "a_ <&>"


def test_an_ome_tiff_does_not_tell_the_network_card(tmp_path, make):
    write_ome_tiff(tmp_path / "cell.ome.tif", make(CODES))
    with tifffile.TiffFile(tmp_path / "cell.ome.tif") as tif:
        identity = tifffile.xml2dict(tif.ome_metadata)["OME"]["UUID"]
    assert uuid.UUID(identity).version == 4


def test_a_colour_a_class_is_read_by_its_number(tmp_path):
    values = np.array([[[240, 228, 66], [0, 114, 178], [9, 8, 7]]], np.uint8)
    Image.fromarray(values).save(tmp_path / "cell.tif")
    (entry,) = read_picture(tmp_path / "cell.tif")
    assert sorted(entry.read().labels) == ["#0072b2", "#090807", "#f0e442"]
    codes, _notes = to_codes(entry.read(), {"#090807": 2}, "cell")
    assert codes.tolist() == [[1, 5, 2]]


def test_grey_in_three_channels_is_a_number(tmp_path):
    Image.fromarray(np.full((2, 2, 4), 128, np.uint8)).save(tmp_path / "cell.png")
    assert read_picture(tmp_path / "cell.png")[0].read().labels == ["128"]


def test_of_a_palette_the_colours_count_for_each_file_numbers_them_anew(tmp_path):
    # As a program that makes files small writes them: in order of how often, and another order in another file.
    picture = Image.fromarray(np.array([[0, 1]], np.uint8))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.save(tmp_path / "cell.png")
    assert read_picture(tmp_path / "cell.png")[0].read().labels == ["#0000ff", "#ff0000"]


def test_of_a_palette_with_one_colour_twice_the_numbers_count(tmp_path):
    picture = Image.fromarray(np.array([[0, 7]], np.uint8))
    picture.putpalette([0, 0, 0] * 8)
    picture.save(tmp_path / "cell.png")
    assert read_picture(tmp_path / "cell.png")[0].read().labels == ["0", "7"]


def test_what_was_erased_has_no_colour(tmp_path):
    red = [255, 0, 0]
    Image.fromarray(np.array([[[*red, 255], [*red, 0]]], np.uint8)).save(tmp_path / "cell.png")
    codes, _notes = to_codes(read_picture(tmp_path / "cell.png")[0].read(), {"#ff0000": 2}, "cell")
    assert codes.tolist() == [[2, 0]]


def test_transparency_everywhere_says_nothing(tmp_path):
    Image.fromarray(np.array([[[255, 0, 0, 0], [0, 0, 255, 0]]], np.uint8)).save(tmp_path / "cell.png")
    assert read_picture(tmp_path / "cell.png")[0].read().labels == ["#0000ff", "#ff0000"]


def test_whole_numbers_that_were_saved_as_fractions_are_read(tmp_path):
    tifffile.imwrite(tmp_path / "cell.tif", np.array([[1, 2]], np.float32))
    assert read_picture(tmp_path / "cell.tif")[0].read().labels == ["1", "2"]


@pytest.mark.parametrize("value", [0.5, np.nan, 1e30])
def test_fractions_are_no_classes(tmp_path, value):
    tifffile.imwrite(tmp_path / "cell.tif", np.array([[1, value]], np.float32))
    with pytest.raises(MaskError, match=r"^cell.tif holds fractions"):
        read_picture(tmp_path / "cell.tif")[0].read()


def test_sixteen_bits_stay_as_they_are(tmp_path):
    Image.fromarray(np.array([[0, 40_000]], np.uint16)).save(tmp_path / "cell.png")
    assert read_picture(tmp_path / "cell.png")[0].read().labels == ["0", "40000"]


@pytest.mark.parametrize(
    "name",
    ["cell.png", "cell_mask.png", "cell-label.png", "cell.ome.tif", "cell gt.PNG", "Label_12_cell.png"],
)
def test_what_is_added_to_the_name_of_an_image_is_known(tmp_path, name):
    assert read_picture(tmp_path / name)[0].names[-1] == "cell"


def test_what_looks_added_may_be_of_the_name(tmp_path):
    names = ("Label_1_x_mask", "x_mask", "Label_1_x", "x")
    assert read_picture(tmp_path / "Label_1_x_mask.png")[0].names == names


@pytest.mark.parametrize("ending", [".tif", ".gif"])
def test_of_several_pages_the_first_is_taken_with_a_word(tmp_path, ending):
    path = tmp_path / f"cell{ending}"
    pages = [Image.fromarray(np.full((2, 3), code, np.uint8)) for code in (1, 2)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    found = read_entries(path)[0].read()
    assert [region.label for region in found.regions] == ["1"]
    assert found.notes == (f"cell{ending} has several pages or frames: only the first was taken.",)


def test_a_photograph_is_no_mask(tmp_path):
    Image.fromarray(np.arange(100, dtype=np.uint8).reshape(10, 10)).save(tmp_path / "cell.png")
    with pytest.raises(MaskError, match=r"^cell.png has more than 64 colours or numbers"):
        read_picture(tmp_path / "cell.png")[0].read()


def test_a_picture_cut_short_is_one_sentence(tmp_path, make):
    write_indexed_png(tmp_path / "cell.png", make(np.zeros((90, 90), np.uint8)))
    (tmp_path / "cell.png").write_bytes((tmp_path / "cell.png").read_bytes()[:60])
    with pytest.raises(MaskError, match=r"^cell.png is no mask that can be read"):
        read_picture(tmp_path / "cell.png")[0].read()


# GeoJSON


def test_geojson_filled_even_odd_gives_the_mask(tmp_path, codes, make):
    write_geojson(tmp_path / "cell.geojson", make(codes))
    content = json.loads((tmp_path / "cell.geojson").read_text())
    by_name = {cls.name: cls.code for cls in CLASSES}
    found = np.zeros(codes.shape, np.uint8)
    for feature in content["features"]:
        for ring in feature["geometry"]["coordinates"]:
            assert ring[0] == ring[-1]
            inside, top, left = fill(np.array(ring[:-1], float), codes.shape)
            code = by_name[feature["properties"]["classification"]["name"]]
            found[top : top + inside.shape[0], left : left + inside.shape[1]] ^= inside * np.uint8(code)
    assert (found == codes).all()


def test_what_qupath_reads_of_an_annotation(tmp_path, make):
    write_geojson(tmp_path / "cell.geojson", make(np.array([[0, 1]], np.uint8)))
    content = json.loads((tmp_path / "cell.geojson").read_text())
    assert content == {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]],
                },
                "properties": {
                    "objectType": "annotation",
                    "classification": {"name": "Nucleus", "color": [240, 228, 66]},
                },
            }
        ],
    }


# Counts


def test_the_table_counts_the_pixels_of_each_class(tmp_path, make):
    write_counts(tmp_path / "masks.csv", [make(CODES), make(np.full((2, 4), 4, np.uint8), "ñ.png")])
    with (tmp_path / "masks.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["image", "width", "height", "nucleus", "cytoplasm", "vacuole", "rbc", "background", "unlabelled"],
        ["cell.png", "3", "2", "1", "1", "1", "1", "1", "1"],
        ["ñ.png", "4", "2", "0", "0", "0", "8", "0", "0"],
    ]


# NumPy


def test_one_npz_comes_back_exactly(tmp_path, codes, make, read_back):
    write_npz(tmp_path / "cell.npz", make(codes))
    assert (read_back(read_npz(tmp_path / "cell.npz")) == codes).all()
    assert load_mask(tmp_path / "cell.npz").meta["annotator"] == "A07"


def test_a_copy_of_an_npz_still_knows_its_image(tmp_path, make):
    write_npz(tmp_path / "copy.npz", make(CODES))
    assert read_npz(tmp_path / "copy.npz")[0].names == ("cell.png", "copy")


def test_the_masks_of_a_study_come_back_from_one_file(tmp_path, make):
    masks = [make(CODES), make(CODES[:, ::-1].copy(), "b.png")]
    write_npz_study(tmp_path / "masks.npz", masks)
    entries = read_npz(tmp_path / "masks.npz")
    assert [entry.names for entry in entries] == [("cell.png",), ("b.png",)]
    found = [entry.read() for entry in entries]
    assert [to_codes(one, {}, "x")[0].tolist() for one in found] == [mask.codes.tolist() for mask in masks]
    assert [one.image_sha256 for one in found] == [mask.image.sha256 for mask in masks]


def test_a_script_reads_the_file_of_a_study_without_pickle(tmp_path, make):
    write_npz_study(tmp_path / "masks.npz", [make(CODES)])
    with np.load(tmp_path / "masks.npz", allow_pickle=False) as file:
        assert file["images"].tolist() == ["cell.png"]
        assert file["mask_0001"].tolist() == CODES.tolist()
        assert file["class_names"].tolist() == [cls.key for cls in CLASSES]


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.array(["a.png"])},
        {"images": np.array(["a.png"]), "image_sha256": np.array(["a", "b"])},
        {"images": np.array([1]), "image_sha256": np.array(["a"])},
        {"images": np.array([["a.png"]]), "image_sha256": np.array([["a"]])},
    ],
)
def test_a_study_file_with_lists_that_do_not_agree_is_one_sentence(tmp_path, arrays):
    np.savez(tmp_path / "masks.npz", **arrays)
    with pytest.raises(MaskError, match=r"^masks.npz is damaged or cut short"):
        read_npz(tmp_path / "masks.npz")


def test_a_study_file_that_lacks_a_mask_is_one_sentence(tmp_path):
    np.savez(tmp_path / "masks.npz", images=np.array(["a.png"]), image_sha256=np.array([""]))
    with pytest.raises(MaskError, match="lacks the mask of its image 1"):
        read_npz(tmp_path / "masks.npz")[0].read()


def test_a_study_file_with_other_codes_is_refused(tmp_path):
    np.savez(
        tmp_path / "masks.npz",
        images=np.array(["a.png"]),
        image_sha256=np.array([""]),
        mask_0001=np.array([[7]]),
    )
    with pytest.raises(MaskError, match="no class"):
        read_npz(tmp_path / "masks.npz")[0].read()


# The registry


def test_each_format_is_called_as_it_is_registered():
    assert all(name == found.name for formats in (EXPORTS, IMPORTS) for name, found in formats.items())


def test_an_unknown_format_is_answered_with_those_there_are():
    with pytest.raises(MaskError, match=r"^There is no format psd: choose npz, npz-study, png"):
        export_format("psd")


@pytest.mark.parametrize("name", [name for name, form in EXPORTS.items() if form.for_image])
def test_each_format_of_a_file_writes_one_image(tmp_path, make, name):
    form = EXPORTS[name]
    form.write_image(tmp_path / f"cell{form.ending}", make(CODES))
    assert [path.name for path in tmp_path.iterdir()] == [f"cell{form.ending}"]


@pytest.mark.parametrize("name", ["npz", "npz-study", "png", "coco", "ome-tiff", "labelme"])
def test_what_goes_out_as_a_study_comes_in_again(tmp_path, make, name):
    masks = [make(CODES), make(CODES[:, ::-1].copy(), "b.png")]
    EXPORTS[name].write_study(tmp_path, masks)
    found = {entry.names[-1].removesuffix(".png"): entry.read() for entry in read_entries(tmp_path)}
    assert {stem: to_codes(one, {}, stem)[0].tolist() for stem, one in found.items()} == {
        mask.stem: mask.codes.tolist() for mask in masks
    }


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_nothing_of_this_machine_or_person_goes_out(tmp_path, name):
    pixels = np.zeros((2, 3, 3), np.uint8)
    image = image_from_array(pixels, "image_0001.png")
    EXPORTS[name].write_study(tmp_path, [Exported(CODES, image, "image_0001")])
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path.name for path in written if str(tmp_path).encode() in content(path)]


def test_a_broken_file_in_a_folder_fails_when_it_is_its_turn(tmp_path, make):
    write_npz(tmp_path / "b.npz", make(CODES, "b.png"))
    (tmp_path / "a.npz").write_bytes(b"PK nothing")
    broken, whole = read_entries(tmp_path)
    with pytest.raises(AllxaiError, match=r"^a.npz is damaged"):
        broken.read()
    assert whole.read().shape == (2, 3)


def test_a_folder_without_masks_says_what_it_should_hold(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(MaskError, match=r"holds no masks: choose a folder with \.npz, \.mat, \.json, \.png"):
        read_entries(tmp_path)


def test_json_of_another_kind_is_not_said_to_be_damaged(tmp_path, make):
    write_geojson(tmp_path / "cell.json", make(np.ones((1, 1), np.uint8)))
    with pytest.raises(
        MaskError, match=r"^cell.json is neither COCO nor labelme: export the masks as one of"
    ):
        read_entries(tmp_path / "cell.json")


def test_a_file_of_another_kind_is_one_sentence(tmp_path):
    (tmp_path / "cell.jpg").touch()
    with pytest.raises(MaskError, match=r"^cell.jpg is no mask that this program reads"):
        read_entries(tmp_path / "cell.jpg")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(MaskError, match=r"^pictures was not found"):
        read_entries(tmp_path / "pictures")
