"""MATLAB's ground truths are made with mat-io here: as MATLAB saves them, an object that holds one struct."""

import csv

import numpy as np
import pytest
import scipy.io
from PIL import Image

from allxai_desktop.masks.labels import to_codes
from allxai_desktop.masks.matlab import MAX_BYTES, read_matlab, write_matlab
from allxai_desktop.masks.npz import MaskError

matio = pytest.importorskip("matio", reason="mat-io has no build for this system")
h5py = pytest.importorskip("h5py", reason="it comes with mat-io")

IDS = [("nucleus", 3), ("Red blood cell", 7), ("debris", 12)]
PICTURE = np.array([[0, 3, 7], [12, 3, 0]], np.uint8)
MAPPING = {"debris": 5}
CODES = [[0, 1, 4], [5, 1, 0]]


def struct(rows):
    """A struct array of MATLAB, (n, 1), from rows of the same keys."""
    found = np.empty((len(rows), 1), [(key, object) for key in rows[0]])
    for place, row in enumerate(rows):
        found[place, 0] = tuple(row.values())
    return found


def save(path, pictures, images=(), ids=IDS, version="v7", name="gTruth"):
    definitions = struct(
        [{"Name": label, "Type": "PixelLabel", "PixelLabelID": np.array([[number]])} for label, number in ids]
    )
    source = np.empty((len(images), 1), object)
    source[:, 0] = images
    fields = struct(
        [
            {
                "DataSource": struct([{"Source": source, "SourceType": "ImageDatastore"}]),
                "LabelDefinitions": definitions,
                "LabelData": struct([{"PixelLabelData": picture} for picture in pictures]),
                "Version": "1.0",
            }
        ]
    )
    truth = matio.utils.MatlabOpaque(properties={"any": fields}, classname="groundTruth")
    matio.save_to_mat(str(path), {name: truth}, version=version, saveobj_classes=["groundTruth"])


def picture(path, values=PICTURE):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)


def codes_of(entry):
    return to_codes(entry.read(), MAPPING, "cell")[0].tolist()


@pytest.mark.parametrize("version", ["v7", "v7.3"])
def test_a_ground_truth_moved_from_a_windows_machine(tmp_path, version):
    picture(tmp_path / "PixelLabelData" / "Label_1_cell.png")
    save(
        tmp_path / "gTruth.mat",
        ["C:\\Users\\ana\\PixelLabelData\\Label_1_cell.png"],
        ["D:\\ALL-IDB2\\cell.tif"],
        version=version,
    )
    (entry,) = read_matlab(tmp_path / "gTruth.mat")
    assert entry.names == ("cell.tif", "cell")
    assert codes_of(entry) == CODES


def test_folders_of_several_sessions_are_told_apart(tmp_path):
    for number, folder in enumerate(("PixelLabelData", "PixelLabelData_1")):
        picture(tmp_path / folder / "Label_1.png", np.full((1, 1), [3, 7][number], np.uint8))
        save(tmp_path / f"{number}.mat", [f"C:\\old\\{folder}\\Label_1.png"], [f"C:\\old\\{number}.png"])
    assert [codes_of(read_matlab(tmp_path / f"{number}.mat")[0]) for number in range(2)] == [[[1]], [[4]]]


def test_a_renamed_folder_is_found_where_it_is_the_only_one(tmp_path):
    picture(tmp_path / "PixelLabelData_5" / "Label_1_cell.png")
    save(tmp_path / "gTruth.mat", ["C:\\old\\PixelLabelData\\Label_1_cell.png"])
    assert codes_of(read_matlab(tmp_path / "gTruth.mat")[0]) == CODES


def test_pictures_of_one_name_in_several_folders_are_not_guessed_between(tmp_path):
    for folder in ("PixelLabelData_1", "PixelLabelData_2"):
        picture(tmp_path / folder / "Label_1_cell.png")
    save(tmp_path / "gTruth.mat", ["C:\\old\\PixelLabelData\\Label_1_cell.png"])
    with pytest.raises(MaskError, match="is in several folders"):
        read_matlab(tmp_path / "gTruth.mat")[0].read()


def test_a_missing_picture_is_named(tmp_path):
    save(tmp_path / "gTruth.mat", ["C:\\old\\PixelLabelData\\Label_1_cell.png"])
    with pytest.raises(MaskError, match=r"^Label_1_cell.png, which belongs to gTruth.mat, was not found"):
        read_matlab(tmp_path / "gTruth.mat")[0].read()


def test_images_without_labels_have_no_mask(tmp_path):
    picture(tmp_path / "PixelLabelData" / "Label_2_b.png")
    save(tmp_path / "gTruth.mat", ["", "C:\\old\\PixelLabelData\\Label_2_b.png"], ["C:\\a.png", "C:\\b.png"])
    assert [entry.names for entry in read_matlab(tmp_path / "gTruth.mat")] == [("b.png", "b")]


def test_the_name_of_the_picture_tells_where_the_source_does_not(tmp_path):
    save(tmp_path / "gTruth.mat", ["C:\\old\\Label_1_cell one.png", "C:\\old\\Label_2.png"], ["C:\\a.png"])
    assert [entry.names for entry in read_matlab(tmp_path / "gTruth.mat")] == [("cell one",), ()]


@pytest.mark.parametrize("number", [99, 2])
def test_labels_without_a_name_are_asked_for(tmp_path, number):
    picture(tmp_path / "PixelLabelData" / "Label_1_cell.png", np.full((1, 1), number, np.uint8))
    save(tmp_path / "gTruth.mat", ["PixelLabelData/Label_1_cell.png"])
    with pytest.raises(MaskError, match=rf"labels that are no class \(PixelLabelID {number}\)"):
        codes_of(read_matlab(tmp_path / "gTruth.mat")[0])


def test_a_number_of_two_classes_is_refused(tmp_path):
    save(tmp_path / "gTruth.mat", ["Label_1_cell.png"], ids=[("nucleus", 1), ("rbc", 1)])
    with pytest.raises(MaskError, match="gives two classes the number 1"):
        read_matlab(tmp_path / "gTruth.mat")


def test_numbers_that_are_the_codes_of_other_classes_mean_what_their_names_say(tmp_path):
    picture(tmp_path / "PixelLabelData" / "Label_1_cell.png", np.array([[1, 2]], np.uint8))
    save(tmp_path / "gTruth.mat", ["PixelLabelData/Label_1_cell.png"], ids=[("rbc", 1), ("nucleus", 2)])
    assert codes_of(read_matlab(tmp_path / "gTruth.mat")[0]) == [[4, 1]]


def test_a_file_without_a_ground_truth_is_one_sentence(tmp_path):
    matio.save_to_mat(str(tmp_path / "x.mat"), {"x": np.eye(2)}, version="v7")
    with pytest.raises(MaskError, match=r"^x.mat holds no groundTruth with pixel labels"):
        read_matlab(tmp_path / "x.mat")


@pytest.mark.parametrize("length", [0, 3, 100, 400])
def test_a_file_cut_short_is_one_sentence(tmp_path, length):
    save(tmp_path / "x.mat", ["Label_1_cell.png"])
    (tmp_path / "x.mat").write_bytes((tmp_path / "x.mat").read_bytes()[:length])
    with pytest.raises(MaskError, match=r"^x.mat is damaged or cut short: export it again\.$"):
        read_matlab(tmp_path / "x.mat")


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "x.mat").open("wb") as stream:
        stream.truncate(2**24 + 1)
    with pytest.raises(MaskError, match=r"^x.mat is too large for a groundTruth"):
        read_matlab(tmp_path / "x.mat")


def test_a_few_bytes_that_unpack_to_a_huge_file_are_not_read(tmp_path):
    zeros = np.zeros(MAX_BYTES, np.uint8)
    scipy.io.savemat(tmp_path / "v7.mat", {"gTruth": zeros}, do_compression=True)
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file.create_dataset("gTruth", (MAX_BYTES + 1,), np.uint8, compression="gzip")
    for name in ("v7.mat", "v73.mat"):
        assert (tmp_path / name).stat().st_size < 2**16
        with pytest.raises(MaskError, match="is too large for a groundTruth"):
            read_matlab(tmp_path / name)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(MaskError, match=r"^x.mat was not found"):
        read_matlab(tmp_path / "x.mat")


def test_what_goes_out_for_matlab(tmp_path, make):
    codes = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)
    write_matlab(tmp_path, [make(codes), make(codes, "b.png")])
    with Image.open(tmp_path / "PixelLabelData" / "Label_1_cell.png") as written:
        assert (written.mode, np.asarray(written).tolist()) == ("L", codes.tolist())
    with (tmp_path / "files.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["label", "image"],
            ["Label_1_cell.png", "cell.png"],
            ["Label_2_b.png", "b.png"],
        ]
    with (tmp_path / "classes.csv").open(newline="") as stream:
        assert list(csv.reader(stream))[:2] == [
            ["id", "key", "name", "red", "green", "blue"],
            ["1", "nucleus", "Nucleus", "240", "228", "66"],
        ]
    assert "groundTruth(" in (tmp_path / "build_ground_truth.m").read_text()


def test_the_pictures_for_matlab_come_back_through_a_ground_truth_of_them(tmp_path, codes, make):
    write_matlab(tmp_path, [make(codes)])
    with (tmp_path / "classes.csv").open(newline="") as stream:
        ids = [(row["key"], int(row["id"])) for row in csv.DictReader(stream)]
    save(
        tmp_path / "gTruth.mat", ["E:\\set\\PixelLabelData\\Label_1_cell.png"], ["E:\\set\\cell.png"], ids=ids
    )
    assert codes_of(read_matlab(tmp_path / "gTruth.mat")[0]) == codes.tolist()
