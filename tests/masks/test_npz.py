import errno
import io
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from allxai_desktop.images import image_from_array
from allxai_desktop.masks import npz
from allxai_desktop.masks.npz import MaskError, load_mask, mask_meta, save_mask

CODES = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)
ACCEPTED = np.array([[False, True, True], [False, False, False]])
IMAGE = image_from_array(np.arange(18, dtype=np.uint8).reshape(2, 3, 3), "cell.png")
OTHER = image_from_array(np.zeros((2, 3, 3), np.uint8), "other.png")
LARGER = image_from_array(np.zeros((4, 5, 3), np.uint8), "larger.png")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cell.npz"


def foreign(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def refused(path, image=None):
    with pytest.raises(MaskError) as caught:
        load_mask(path, image)
    message = str(caught.value)
    assert message.startswith(path.name)
    assert message.endswith(".")
    assert str(path.parent) not in message
    return message


# Writing


def test_a_script_needs_the_key_mask_only(path):
    save_mask(path, CODES, image=IMAGE)
    mask = np.load(path)["mask"]
    assert mask.dtype == np.uint8
    assert mask.tolist() == CODES.tolist()


def test_what_a_file_holds(path):
    save_mask(path, CODES, image=IMAGE)
    with np.load(path, allow_pickle=False) as file:
        assert sorted(file) == [
            "class_colors",
            "class_ids",
            "class_names",
            "mask",
            "meta_json",
            "schema_version",
        ]
        assert file["class_ids"].tolist() == [1, 2, 3, 4, 5]
        assert file["class_names"].tolist() == ["nucleus", "cytoplasm", "vacuole", "rbc", "background"]
        assert file["class_colors"].dtype == np.uint8
        assert file["class_colors"][0].tolist() == [240, 228, 66]
        assert file["schema_version"] == 1


def test_what_the_description_says(path):
    save_mask(
        path,
        CODES,
        image=IMAGE,
        annotator="A07",
        state="submitted",
        created="2026-01-02",
        accepted=ACCEPTED,
    )
    meta = json.loads(str(np.load(path)["meta_json"]))
    assert meta.pop("modified").endswith("+00:00")
    assert meta == {
        "image_name": "cell.png",
        "image_shape": [2, 3],
        "image_sha256": IMAGE.sha256,
        "program_version": "0.1.0",
        "annotator": "A07",
        "created": "2026-01-02",
        "state": "submitted",
        "accepted_proposal_share": 0.4,
    }
    loaded = load_mask(path, IMAGE).meta
    assert loaded.pop("modified")
    assert loaded == meta


def test_what_a_proposal_set_comes_back_and_without_it_the_file_says_nothing(path):
    save_mask(path, CODES)
    assert load_mask(path).accepted is None
    save_mask(path, CODES, accepted=ACCEPTED)
    assert (load_mask(path).accepted == ACCEPTED).all()


@pytest.mark.parametrize("accepted", [ACCEPTED[:1], ACCEPTED.astype(np.uint8)])
def test_accepted_pixels_that_do_not_fit_the_mask_are_left_out(path, accepted):
    np.savez(path, mask=CODES, mask_accepted=accepted)
    assert load_mask(path).accepted is None


@pytest.mark.parametrize("name", ["/home/ana/cells/cell.png", r"C:\Users\ana\cell.png"])
def test_no_path_gets_into_the_file(path, name):
    save_mask(path, CODES, image=image_from_array(IMAGE.pixels, name))
    assert load_mask(path).meta["image_name"] == "cell.png"


def test_the_folder_of_the_masks_is_made(tmp_path):
    save_mask(tmp_path / "masks" / "a.npz", CODES)
    assert [file.name for file in (tmp_path / "masks").iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    "codes", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int64), np.full((2, 2), 6, np.uint8)]
)
def test_what_is_no_mask_is_not_saved(path, codes):
    with pytest.raises(MaskError, match=r"cell\.npz was not saved"):
        save_mask(path, codes)
    assert not path.exists()


def test_a_mask_of_another_size_than_its_image_is_not_saved(path):
    with pytest.raises(MaskError, match=r"the mask is 3×2 pixels, but larger\.png is 5×4"):
        save_mask(path, CODES, image=LARGER)


def test_a_link_stays_a_link(tmp_path, path):
    save_mask(path, CODES)
    link = tmp_path / "link.npz"
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("this system makes no links")
    save_mask(link, CODES * 0)
    assert link.is_symlink()
    assert not load_mask(path).codes.any()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_stay(path):
    save_mask(path, CODES)
    path.chmod(0o664)
    save_mask(path, CODES)
    assert path.stat().st_mode & 0o777 == 0o664


def failing(number):
    def fail(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "check the disk"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_other(path, monkeypatch, step, number, reason):
    save_mask(path, CODES)
    before = path.read_bytes()
    monkeypatch.setattr(os, step, failing(number))
    with pytest.raises(MaskError, match=reason):
        save_mask(path, CODES * 0)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on file sizes")
def test_a_disk_that_fills_up_in_mid_write(path):
    save_mask(path, CODES)
    before = path.read_bytes()
    code = """
import resource, sys
import numpy as np
from allxai_desktop.masks.npz import MaskError, save_mask
noise = np.random.default_rng(0).integers(0, 6, (300, 300)).astype(np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    save_mask(sys.argv[1], noise)
except MaskError as error:
    sys.exit(0 if "the disk is full" in str(error) else 2)
sys.exit(1)
"""
    subprocess.run([sys.executable, "-c", code, path], check=True)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write anywhere"
)
def test_a_read_only_folder(path):
    path.parent.chmod(0o500)
    with pytest.raises(MaskError, match="may not be written"):
        save_mask(path, CODES)


def test_a_missing_folder(tmp_path):
    with pytest.raises(MaskError, match="its folder is missing"):
        save_mask(tmp_path / "gone" / "masks" / "a.npz", CODES)


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "masks").touch()
    with pytest.raises(MaskError, match="is no folder"):
        save_mask(tmp_path / "masks" / "a.npz", CODES)


def test_a_folder_in_place_of_the_file(path):
    path.mkdir()
    with pytest.raises(MaskError, match="was not saved"):
        save_mask(path, CODES)
    assert list(path.parent.iterdir()) == [path]


# Reading


def test_a_mask_comes_back(path):
    save_mask(path, CODES, image=IMAGE)
    mask = load_mask(path, IMAGE)
    assert mask.codes.tolist() == CODES.tolist()
    assert mask.codes.dtype == np.uint8
    assert mask.codes.flags.writeable
    assert mask.warning is None


def test_a_renamed_image_keeps_its_mask(path):
    save_mask(path, CODES, image=IMAGE)
    assert load_mask(path, image_from_array(IMAGE.pixels, "renamed.png")).warning is None


def test_a_mask_of_another_image_is_refused_with_names_and_shapes(path):
    save_mask(path, CODES, image=IMAGE)
    message = refused(path, OTHER)
    assert "belongs to cell.png (3×2), not to other.png (3×2)" in message


def test_a_mask_of_another_size_is_refused_with_names_and_shapes(path):
    save_mask(path, CODES, image=IMAGE)
    assert "belongs to cell.png (3×2), not to larger.png (5×4)" in refused(path, LARGER)


def test_a_mask_without_a_hash_of_another_size_is_refused(path):
    assert "an unknown image (3×2), not to larger.png (5×4)" in refused(foreign(path, mask=CODES), LARGER)


def test_a_mask_without_a_hash_is_accepted_on_equal_size_and_says_so(path):
    mask = load_mask(foreign(path, mask=CODES), IMAGE)
    assert mask.codes.tolist() == CODES.tolist()
    assert mask.meta == {}
    assert mask.warning == (
        "cell.npz does not say which image it belongs to: it was accepted for cell.png by its size."
    )


@pytest.mark.parametrize("values", [CODES.astype(np.int64), CODES.astype(">u2"), np.asfortranarray(CODES)])
def test_other_whole_numbers_are_converted(path, values):
    codes = load_mask(foreign(path, mask=values)).codes
    assert codes.dtype == np.uint8
    assert codes.flags.c_contiguous
    assert codes.tolist() == CODES.tolist()


def test_a_plain_uncompressed_file(path):
    np.savez(path, mask=CODES)
    assert load_mask(path).codes.tolist() == CODES.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool, complex, "U3"])
def test_values_that_are_no_whole_numbers(path, dtype):
    assert "holds values of type" in refused(foreign(path, mask=CODES.astype(dtype)))


@pytest.mark.parametrize(
    ("values", "named"),
    [([[0, 6, 200]], "(6, 200)"), ([[-1, 2, 3]], "(-1)"), ([list(range(12))], "(6, 7, 8, 9, 10, …)")],
)
def test_codes_that_are_no_class_are_named(path, values, named):
    assert named in refused(foreign(path, mask=np.array(values)))


@pytest.mark.parametrize("shape", [(2, 3, 1), (6,), ()])
def test_masks_of_other_dimensions(path, shape):
    assert "a mask has two dimensions" in refused(foreign(path, mask=np.zeros(shape, np.uint8)))


def test_a_missing_key(path):
    assert "no array named “mask”" in refused(foreign(path, labels=CODES))


def test_a_pickled_object_is_not_unpickled(path, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    assert "Python objects" in refused(foreign(path, mask=np.array([[Trap()]], object)))
    assert "Python objects" in refused(foreign(path, mask=CODES, meta_json=np.array(Trap(), object)))
    assert not (tmp_path / "sprung").exists()


def test_a_newer_file(path):
    assert "newer version" in refused(foreign(path, mask=CODES, schema_version=np.array(2)))


def test_classes_in_another_order(path):
    names = np.array(["background", "nucleus", "cytoplasm", "vacuole", "rbc"])
    message = refused(foreign(path, mask=CODES, class_ids=np.arange(1, 6), class_names=names))
    assert "names other classes" in message
    assert "1 nucleus, 2 cytoplasm" in message


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"image_sha256": 7, "annotator": []}'])
def test_a_description_that_cannot_be_used_is_none(path, text):
    mask = load_mask(foreign(path, mask=CODES, meta_json=np.array(text)), IMAGE)
    assert mask.meta == {}
    assert mask.warning


def test_truncated_files(path):
    save_mask(path, CODES, image=IMAGE)
    data = path.read_bytes()
    for length in (0, 1, 30, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert "is damaged or no .npz mask" in refused(path)


def test_a_flipped_bit_is_found(path):
    np.savez(path, mask=CODES)
    data = bytearray(path.read_bytes())
    data[data.index(CODES.tobytes())] ^= 1
    path.write_bytes(data)
    assert "is damaged" in refused(path)


@pytest.mark.parametrize("content", [b"Dear doctor", b"\x89PNG\r\n\x1a\n", b"\x93NUMPY\1\0"])
def test_other_files(path, content):
    path.write_bytes(content)
    assert "is damaged or no .npz mask" in refused(path)


def test_missing_file_and_folder(path, tmp_path):
    assert "was not found" in refused(path)
    path.mkdir()
    assert "is a folder" in refused(path) or os.name == "nt"


def zipped(path, header_shape, content=b"", *, compression=zipfile.ZIP_DEFLATED):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": header_shape}
    )
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("mask.npy", header.getvalue() + content)
    return path


@pytest.mark.parametrize("shape", [(60_000, 60_000), (2**40, 2**40), (-1, -1)])
def test_a_header_that_claims_too_much(path, shape):
    message = refused(zipped(path, shape))
    assert "million pixels" in message or "damaged" in message


@pytest.mark.parametrize("header", [b"{f(", b"{" * 200, b"{'shape': (", b"\xff"])
def test_a_header_that_is_no_description_of_an_array(path, header):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mask.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)
    assert "is damaged or no .npz mask" in refused(path)


def test_an_array_shorter_or_longer_than_its_header(path):
    assert "is damaged" in refused(zipped(path, (2, 3), b"\1" * 5))
    assert "is damaged" in refused(zipped(path, (2, 3), b"\1" * 7))


def peak_of_refusing(path):
    tracemalloc.start()
    try:
        return refused(path), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_entry_that_says_it_is_too_large_is_not_unpacked(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mask.npy", b"")
        archive.getinfo("mask.npy").file_size = 2**31
    message, peak = peak_of_refusing(path)
    assert "million pixels" in message
    assert peak < 1e6


def test_a_zip_bomb_behind_a_small_header_is_not_unpacked(path):
    message, peak = peak_of_refusing(zipped(path, (2, 3), bytes(50_000_000)))
    assert "is damaged" in message
    assert peak < 1e6


def test_unknown_compression_is_refused(path):
    assert "is damaged" in refused(zipped(path, (2, 3), CODES.tobytes(), compression=zipfile.ZIP_LZMA))


def test_who_painted_a_mask_too_large_to_be_read_is_known(tmp_path, monkeypatch):
    save_mask(tmp_path / "slide.npz", np.ones((3, 4), np.uint8), annotator="S09")
    monkeypatch.setattr(npz, "MAX_PIXELS", 11)
    with pytest.raises(MaskError, match="more than"):
        load_mask(tmp_path / "slide.npz")
    assert mask_meta(tmp_path / "slide.npz")["annotator"] == "S09"
