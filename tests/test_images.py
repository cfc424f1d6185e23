import hashlib
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from allxai_desktop import tiff
from allxai_desktop.images import (
    MAX_PIXELS,
    ImageError,
    image_from_array,
    pixel_sha256,
    png_bytes,
    read_image,
)

RGB = np.array([[[0, 0, 0], [255, 0, 0], [0, 128, 64]], [[9, 8, 7], [1, 2, 3], [250, 251, 252]]], np.uint8)
GREY = np.array([[0, 100, 255], [7, 8, 9]], np.uint8)


def saved(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def grey_rows(image):
    assert (image.pixels == image.pixels[..., :1]).all()
    return image.pixels[..., 0].tolist()


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_lossless_formats_give_the_same_pixels_and_identity(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"cell.{suffix}", RGB))
    assert image.pixels.tolist() == RGB.tolist()
    assert image.pixels.dtype == np.uint8
    assert image.sha256 == hashlib.sha256(RGB.tobytes()).hexdigest() == pixel_sha256(RGB)
    assert image.name == f"cell.{suffix}"
    assert image.notes == ()
    assert image.pixel_size_um is None


@pytest.mark.parametrize("pixels", [RGB, GREY, GREY.astype(np.uint16) * 257])
def test_a_png_holds_the_pixels_and_nothing_else(pixels):
    with Image.open(io.BytesIO(png_bytes(pixels))) as picture:
        assert (picture.format, picture.info) == ("PNG", {})
        assert np.asarray(picture).tolist() == pixels.tolist()


def test_pixels_are_read_only(tmp_path):
    assert not read_image(saved(tmp_path / "a.png", RGB)).pixels.flags.writeable


def test_jpeg(tmp_path):
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    pixels = read_image(saved(tmp_path / "a.jpg", flat, quality=95)).pixels
    assert np.abs(pixels.astype(int) - flat).max() <= 2


def test_grey_becomes_three_equal_channels(tmp_path):
    assert grey_rows(read_image(saved(tmp_path / "a.png", GREY))) == GREY.tolist()


def test_black_and_white(tmp_path):
    assert grey_rows(read_image(saved(tmp_path / "a.png", np.array([[True, False]])))) == [[255, 0]]


def test_rgba_lies_over_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], np.uint8)
    # 255 · (1 − 51/255) = 204.
    expected = [[[10, 20, 30], [255, 255, 255], [204, 204, 204]]]
    assert read_image(saved(tmp_path / "a.png", rgba)).pixels.tolist() == expected


def test_grey_with_alpha_lies_over_white(tmp_path):
    Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (3, 2), 0)]).save(tmp_path / "a.png")
    assert grey_rows(read_image(tmp_path / "a.png")) == [[255] * 3] * 2


def palette_image():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    return image


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_palette(tmp_path, suffix):
    palette_image().save(tmp_path / f"a.{suffix}")
    assert read_image(tmp_path / f"a.{suffix}").pixels.tolist() == [[[10, 20, 30], [200, 100, 0]]]


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_transparent_palette_entry_is_white(tmp_path, suffix):
    palette_image().save(tmp_path / f"a.{suffix}", transparency=1)
    assert read_image(tmp_path / f"a.{suffix}").pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_cmyk(tmp_path):
    cmyk = Image.merge("CMYK", [Image.new("L", (8, 8), value) for value in (0, 255, 255, 0)])
    cmyk.save(tmp_path / "a.tif")
    cmyk.save(tmp_path / "a.jpg", quality=100)
    assert (read_image(tmp_path / "a.tif").pixels == (255, 0, 0)).all()
    assert np.abs(read_image(tmp_path / "a.jpg").pixels.astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_exif_orientation_turns_the_image_upright(tmp_path, suffix):
    # Orientation 6: stored lying on its left side; upright is a quarter turn clockwise.
    stored = np.zeros((8, 16, 3), np.uint8)
    stored[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif)
    image = read_image(tmp_path / f"a.{suffix}")
    pixels = image.pixels
    assert (image.turned, pixels.shape) == (True, (16, 8, 3))
    assert pixels[2, 4, 0] > 250
    assert pixels[13, 4, 0] < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_tiffs_are_turned_as_pillow_turns_the_others(tmp_path, orientation):
    values = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    tag = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "deep.tif", values.astype(np.uint16) * 257, extratags=tag)
    tifffile.imwrite(tmp_path / "flat.tif", values, extratags=tag)
    deep, flat = read_image(tmp_path / "deep.tif"), read_image(tmp_path / "flat.tif")
    assert grey_rows(deep) == grey_rows(flat)
    assert deep.turned == flat.turned == (orientation > 1)


def test_exif_that_cannot_be_read_is_ignored(tmp_path):
    saved(tmp_path / "a.png", RGB, exif=b"Exif\0\0nonsense")
    assert read_image(tmp_path / "a.png").pixels.tolist() == RGB.tolist()


def test_first_frame_of_a_gif_is_told(tmp_path):
    frames = [Image.new("L", (2, 2), value) for value in (10, 20, 30)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    image = read_image(tmp_path / "a.gif")
    assert grey_rows(image) == [[10, 10], [10, 10]]
    assert image.notes == ("This is the first of 3 frames.",)


def test_first_page_of_a_tiff_is_told(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY + 1]), photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    assert grey_rows(image) == GREY.tolist()
    assert image.notes == ("This is the first of 2 frames.",)


def test_pages_beyond_the_limit_are_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_MOST_FRAMES", 2)
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY] * 3), photometric="minisblack")
    assert read_image(tmp_path / "a.tif").notes == ("This is the first of more than 2 frames.",)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_top_eight(tmp_path, suffix):
    saved(tmp_path / f"a.{suffix}", np.array([[0, 255, 256, 4096, 65535]], np.uint16))
    image = read_image(tmp_path / f"a.{suffix}")
    assert grey_rows(image) == [[0, 0, 1, 16, 255]]
    assert image.notes == ("16-bit values were brought to 8 bits.",)


def test_sixteen_bits_below_4096_are_twelve(tmp_path):
    image = read_image(saved(tmp_path / "a.png", np.array([[0, 16, 4095]], np.uint16)))
    assert grey_rows(image) == [[0, 1, 255]]
    assert image.notes == ("12-bit values were brought to 8 bits.",)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint32])
def test_eight_bits_in_a_wider_type_stay_as_they_are(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 16, 255]], dtype))
    image = read_image(tmp_path / "a.tif")
    assert grey_rows(image) == [[0, 16, 255]]
    assert image.notes == ()


def png16(path, samples):
    """Write a 16-bit RGB PNG: Pillow cannot."""
    height, width, _ = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_sixteen_bit_colour_is_the_same_image_in_png_and_tiff(tmp_path):
    samples = np.random.default_rng(1).integers(0, 65536, (5, 4, 3)).astype(np.uint16)
    png16(tmp_path / "a.png", samples)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb")
    png, tif = read_image(tmp_path / "a.png"), read_image(tmp_path / "a.tif")
    assert png.pixels.tolist() == (samples >> 8).tolist()
    assert png.sha256 == tif.sha256
    assert png.notes == tif.notes == ("16-bit values were brought to 8 bits.",)


def test_sixteen_bit_colour_png_that_is_nearly_black_is_refused(tmp_path):
    png16(tmp_path / "a.png", np.full((2, 2, 3), 3000, np.uint16))
    with pytest.raises(ImageError, match=r"a\.png uses less than a sixteenth"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "rgb"},
        {"photometric": "rgb", "compression": "zlib", "predictor": True},
        {"photometric": "rgb", "tile": (16, 16)},
        {"photometric": "rgb", "bigtiff": True},
        {"photometric": "rgb", "byteorder": ">"},
    ],
)
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_layouts_of_tiff(tmp_path, options, dtype):
    rgb = np.random.default_rng(2).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    values = rgb if dtype == "u1" else rgb.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    assert read_image(tmp_path / "a.tif").pixels.tolist() == rgb.tolist()


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_planar_tiff(tmp_path, dtype):
    values = RGB if dtype == "u1" else RGB.astype(np.uint16) * 257
    tifffile.imwrite(
        tmp_path / "a.tif", np.moveaxis(values, -1, 0), photometric="rgb", planarconfig="separate"
    )
    assert read_image(tmp_path / "a.tif").pixels.tolist() == RGB.tolist()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(tmp_path, compression):
    saved(tmp_path / "a.tif", RGB, compression=compression)
    assert read_image(tmp_path / "a.tif").pixels.tolist() == RGB.tolist()
    saved(tmp_path / "b.tif", GREY.astype(np.uint16) * 257, compression=compression)
    assert grey_rows(read_image(tmp_path / "b.tif")) == GREY.tolist()


def test_white_is_zero_in_some_tiffs(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 65535]], np.uint16), photometric="miniswhite")
    assert grey_rows(read_image(tmp_path / "a.tif")) == [[255, 0]]


def test_sixteen_bit_alpha_lies_over_white(tmp_path):
    rgba = np.array([[[257, 0, 65535, 65535], [0, 0, 0, 0]]], np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    assert read_image(tmp_path / "a.tif").pixels.tolist() == [[[1, 0, 255], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        ([0, 0.5, 1], [0, 128, 255], "Fractional values from 0 to 1 were brought to 8 bits."),
        ([0, 99.6, 255], [0, 100, 255], "Fractional values from 0 to 255 were brought to 8 bits."),
    ],
)
def test_fractions_are_scaled_and_told(tmp_path, values, expected, note):
    tifffile.imwrite(tmp_path / "a.tif", np.array([values], np.float32))
    image = read_image(tmp_path / "a.tif")
    assert grey_rows(image) == [expected]
    assert image.notes == (note,)


@pytest.mark.parametrize("values", [[0, np.nan], [0, np.inf], [-1, 1], [0, 300]])
def test_fractions_that_are_no_brightness_are_refused(tmp_path, values):
    tifffile.imwrite(tmp_path / "a.tif", np.array([values], np.float32))
    with pytest.raises(ImageError, match=r"a\.tif holds values that are no brightness"):
        read_image(tmp_path / "a.tif")


def test_many_channels_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((4, 5, 6), np.uint8), photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(ImageError, match="6 channels"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"resolution": (100_000, 100_000), "resolutionunit": "CENTIMETER"}, 0.1),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"resolution": (100_000, 50_000), "resolutionunit": "CENTIMETER"}, None),
        ({"resolution": (10, 10), "imagej": True, "metadata": {"unit": "um"}}, 0.1),
        ({"resolution": (10, 10), "imagej": True, "metadata": {"unit": "\\u00B5m"}}, 0.1),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}}, 0.25),
        (
            {
                "ome": True,
                "metadata": {
                    "axes": "YX",
                    "PhysicalSizeX": 65,
                    "PhysicalSizeXUnit": "nm",
                    "PhysicalSizeY": 65,
                    "PhysicalSizeYUnit": "nm",
                },
            },
            0.065,
        ),
    ],
)
def test_pixel_size_from_tiff(tmp_path, options, size):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack", **options)
    assert read_image(tmp_path / "a.tif").pixel_size_um == (None if size is None else pytest.approx(size))


# Bad input


def refused(path):
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(path.name)
    assert message.endswith(".")
    assert str(path.parent) not in message
    return message


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "gif"])
def test_truncated_files(tmp_path, suffix):
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = saved(tmp_path / f"a.{suffix}", noise)
    data = path.read_bytes()
    for part in (0.02, 0.5, 0.9):
        path.write_bytes(data[: int(part * len(data))])
        assert "damaged or cut short" in refused(path)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_truncated_tiff_of_tifffile(tmp_path, dtype):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 64), dtype), rowsperstrip=8)
    path.write_bytes(path.read_bytes()[:-100])
    assert "damaged or cut short" in refused(path)


def test_empty_file(tmp_path):
    (tmp_path / "a.png").touch()
    assert "is empty" in refused(tmp_path / "a.png")


@pytest.mark.parametrize(
    "content", [b"Dear doctor, please find attached", b"\0" * 500, b"PK\3\4" + b"x" * 99, b"B"]
)
def test_text_and_other_files(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert "is not a PNG, JPEG, BMP, TIFF or GIF image" in refused(tmp_path / "a.jpg")


def test_a_mislabelled_image_is_read_by_its_content(tmp_path):
    saved(tmp_path / "a.png", RGB, format="BMP")
    assert read_image(tmp_path / "a.png").pixels.tolist() == RGB.tolist()


def test_missing_file(tmp_path):
    assert "was not found" in refused(tmp_path / "a.png")


def test_folder(tmp_path):
    (tmp_path / "a.png").mkdir()
    assert "is a folder" in refused(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert "is not a file" in refused(tmp_path / "a.png")


def test_unreadable_file(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", RGB)

    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "may not be read" in refused(path)


def bomb(path, side):
    """Write a header that claims side × side pixels."""
    match path.suffix:
        case ".png":
            data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            data += chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
        case ".bmp":
            data = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
            data += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        case ".gif":
            data = b"GIF89a" + struct.pack("<HHBBB", side, side, 0, 0, 0)
            data += b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\2\2\x4c\1\0;"
        case ".jpg":
            data = (
                b"\xff\xd8\xff\xc0"
                + struct.pack(">HBHHB", 17, 8, side, side, 3)
                + b"\1\x11\0\2\x11\0\3\x11\0"
            )
            data += b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0\xff\xd9"
        case ".tif":
            tags = [
                (256, side),
                (257, side),
                (258, 8),
                (259, 1),
                (262, 1),
                (273, 8),
                (277, 1),
                (278, side),
                (279, 9),
            ]
            data = b"II*\0" + struct.pack("<IH", 8, len(tags))
            data += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + b"\0" * 4
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("side", [60_000, 9_000])
@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "jpg", "tif"])
def test_a_header_that_claims_too_much_is_refused_without_memory(tmp_path, suffix, side):
    path = bomb(tmp_path / f"a.{suffix}", side)
    Image.init()
    tracemalloc.start()
    try:
        assert "claims more than 67 million pixels" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_a_strip_that_inflates_to_more_than_its_pixels_is_refused_without_memory(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((3000, 1000), np.uint16), compression="deflate", rowsperstrip=3000)
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages.first.tags[257].overwrite(2)
        tif.pages.first.tags[278].overwrite(2)
    tracemalloc.start()
    try:
        assert "damaged or cut short" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_tile_larger_than_the_image_may_be_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, tile=(16, 16))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        for code in (322, 323):
            tif.pages.first.tags[code].overwrite(60_000, dtype="I")
    assert "million pixels" in refused(tmp_path / "a.tif")


def test_no_warning_of_a_decoder_escapes(tmp_path):
    # Pillow warns of more than 89 million pixels before this program can refuse them.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(bomb(tmp_path / "a.png", 10_000))


def test_a_damaged_tiff_prints_nothing(tmp_path):
    path = saved(tmp_path / "a.tif", RGB)
    path.write_bytes(path.read_bytes()[:8])
    code = """
import sys
from allxai_desktop.images import ImageError, read_image
try:
    read_image(sys.argv[1])
except ImageError:
    sys.exit(0)
sys.exit(1)
"""
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True)
    assert done.stdout + done.stderr == b""


# Pixels in memory


def test_an_array_is_an_image():
    image = image_from_array(GREY, "layer")
    assert image.pixels.shape == (2, 3, 3)
    assert image.name == "layer"
    assert image.sha256 == pixel_sha256(np.repeat(GREY[..., None], 3, axis=2))


@pytest.mark.parametrize("shape", [(4,), (2, 3, 5), (2, 3, 4, 3), (0, 3)])
def test_an_array_that_is_no_image_is_refused(shape):
    with pytest.raises(ImageError):
        image_from_array(np.zeros(shape, np.uint8), "layer")


def test_an_array_beyond_the_limit_is_refused():
    with pytest.raises(ImageError, match="million pixels"):
        image_from_array(np.broadcast_to(np.uint8(0), (1, MAX_PIXELS + 1)), "layer")


def test_the_array_given_may_change_later():
    pixels = RGB.copy()
    image = image_from_array(pixels, "layer")
    pixels[:] = 0
    assert image.pixels.tolist() == RGB.tolist()


def test_libtiff_says_nothing_beside_our_sentence(tmp_path, capfd):
    path = tmp_path / "a.tif"
    Image.fromarray(np.arange(3000, dtype=np.uint8).reshape(30, 100)).save(path, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(ImageError, match="is damaged"):
        read_image(path)
    assert capfd.readouterr().err == ""
