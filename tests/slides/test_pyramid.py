import numpy as np
import pytest
import tifffile
from PIL import Image

from allxai_desktop.images import ImageError
from allxai_desktop.slides import pyramid as module
from allxai_desktop.slides.large import LargeImage, open_image
from allxai_desktop.slides.pyramid import Pyramid

SIDE, TILE = 160, 32


@pytest.fixture
def pixels():
    rows, columns = np.mgrid[:SIDE, : SIDE + 40]
    return np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=2).astype(np.uint8)


@pytest.fixture
def write(tmp_path, pixels):
    """Writes a pyramid with levels of 1, 1/2 and 1/4, as levels below the first page or as pages of their own."""

    def write(*, below=True, levels=3, **options):
        path = tmp_path / "slide.tif"
        options = {"photometric": "rgb", "tile": (TILE, TILE), "compression": "zlib"} | options
        with tifffile.TiffWriter(path) as tif:
            tif.write(
                pixels,
                subifds=levels - 1 if below else 0,
                resolution=(40_000, 40_000),
                resolutionunit=3,
                **options,
            )
            for level in range(1, levels):
                tif.write(pixels[:: 2**level, :: 2**level], subfiletype=1, **options)
        return path

    return write


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 10_000)
    monkeypatch.setattr(module, "MAX_OVERVIEW", 2_500)


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"compression": None}, {"predictor": True}, {"tile": None, "rowsperstrip": 7}]
)
def test_any_part_is_that_part(write, pixels, below, options):
    pyramid = Pyramid(write(below=below, **options))
    assert pyramid.shape == pixels.shape[:2]
    assert len(pyramid.levels) == 3
    assert np.array_equal(pyramid.read(13, 25, 90, 101), pixels[13:103, 25:126])
    assert np.array_equal(pyramid.read(SIDE - 5, SIDE + 30, 5, 10), pixels[-5:, -10:])
    assert np.array_equal(pyramid.overview, pixels[::4, ::4])


def test_parts_are_brought_down_from_the_level_that_has_them(write, pixels):
    pyramid = Pyramid(write())
    for step in (2, 4, 8):
        assert np.array_equal(pyramid.read(16, 32, 64, 96, step), pixels[16:80:step, 32:128:step])


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
def test_jpeg_tiles_have_their_colours(tmp_path, photometric):
    # Pillow writes JPEG in strips; tifffile only with a library that this program does without.
    pixels = np.full((48, 48, 3), (200, 40, 90), np.uint8)
    path = tmp_path / "jpeg.tif"
    Image.fromarray(pixels).convert("YCbCr" if photometric == "ycbcr" else "RGB").save(
        path, compression="jpeg", quality=95
    )
    with tifffile.TiffFile(path) as tif:
        assert tif.pages.first.compression == 7
    assert np.abs(Pyramid(path).overview.astype(int) - pixels).max() <= 4


def test_grey_and_transparent_images_become_rgb(tmp_path, pixels):
    path = tmp_path / "grey.tif"
    tifffile.imwrite(path, pixels[:48, :48, 0], tile=(16, 16))
    assert np.array_equal(Pyramid(path).overview, pixels[:48, :48, :1].repeat(3, axis=2))


def test_a_large_image_is_its_overview(write, pixels):
    image = open_image(write())
    assert isinstance(image, LargeImage)
    assert image.scale == 4
    assert np.array_equal(image.pixels, pixels[::4, ::4])
    assert image.pixel_size_um == pytest.approx(0.25)
    assert image.shape == (SIDE, SIDE + 40)
    assert not image.whole
    assert not image.pixels.flags.writeable


def test_a_small_image_is_read_whole(tmp_path, pixels):
    Image.fromarray(pixels[:50, :50]).save(tmp_path / "small.tif")
    image = open_image(tmp_path / "small.tif")
    assert not isinstance(image, LargeImage)
    assert np.array_equal(image.pixels, pixels[:50, :50])


def test_a_large_image_without_levels_is_refused(write):
    with pytest.raises(ImageError, match="pyramidal TIFF"):
        open_image(write(levels=1))


def test_sixteen_bits_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "deep.tif", np.zeros((120, 120), np.uint16))
    with pytest.raises(ImageError, match="does not know"):
        open_image(tmp_path / "deep.tif")


def test_what_is_cut_short_is_said(write):
    path = write(below=False)
    content = path.read_bytes()
    pyramid = Pyramid(path)
    path.write_bytes(content[: len(content) // 8])
    with pytest.raises(ImageError, match="damaged"):
        pyramid.read(100, 100, 50, 50)


def test_a_file_that_is_no_tiff_is_told_as_any_other(tmp_path):
    (tmp_path / "no.tif").write_bytes(b"II*\0nothing")
    with pytest.raises(ImageError):
        open_image(tmp_path / "no.tif")


def test_tiles_are_forgotten_past_the_limit(write, monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES", 4 * TILE * TILE * 3)
    level = Pyramid(write()).levels[0]
    level.read(0, 0, SIDE, SIDE)
    assert level.known((0, 0)) is None
    assert level.known((4, 4)) is not None
