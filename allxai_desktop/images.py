"""Any supported image file as RGB pixels of 8 bits, with the identity that ties a mask to it; pixels as a PNG."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.i18n import _

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif")
MAX_PIXELS = 8192 * 8192
"""Largest width × height that is decoded; below Pillow's own limit, so that it never warns first."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
# The filters of the warnings module belong to the whole program: one reader at a time changes them.
_warnings_lock = Lock()


class ImageError(AllxaiError):
    """An image that cannot be read, and what to do about it."""


@dataclass(frozen=True, eq=False)
class CellImage:
    """An image: `pixels` uint8 (H, W, 3), read-only; file name without folder; SHA-256 of the pixels in C order.

    `notes` are sentences on what reading changed; `pixel_size_um` is the side of a pixel in µm, where known; `turned`
    tells that the file holds it otherwise, with a word on how it is upright.
    """

    pixels: NDArray[np.uint8]
    name: str
    sha256: str
    notes: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    turned: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image, and of its mask."""
        height, width = self.pixels.shape[:2]
        return height, width

    @property
    def whole(self) -> bool:
        """Whether `pixels` are all of the image, not an overview of it."""
        return self.shape == self.pixels.shape[:2]


@dataclass(frozen=True)
class Decoded:
    """What one format gave: channels (H, W), (H, W, 1…4), notes, pixel size in µm, and whether they were turned."""

    values: NDArray[Any]
    notes: tuple[str, ...] = ()
    pixel_size_um: float | None = None
    turned: bool = False


def pixel_sha256(pixels: NDArray[np.uint8]) -> str:
    """Return the identity of an image (H, W, 3): the hexadecimal SHA-256 of its bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def png_bytes(pixels: NDArray[Any]) -> bytes:
    """Return an image (H, W, 3) or a mask (H, W) as a PNG file that holds its pixels and nothing else."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def check_size(width: int, height: int, name: str) -> None:
    """Raise `ImageError` for an image without pixels or with more than `MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise ImageError(_("{name} holds no pixels: export the image again.").format(name=name))
    if width * height > MAX_PIXELS:
        raise _too_large(name)


def _too_large(name: str) -> ImageError:
    return ImageError(
        _("{name} claims more than {limit} million pixels: cut out the part with the cell first.").format(
            name=name, limit=MAX_PIXELS // 10**6
        )
    )


def first_of(count: int) -> tuple[str, ...]:
    """Return the note on a file of `count` frames or pages; none for one."""
    return (_("This is the first of {count} frames.").format(count=count),) if count > 1 else ()


def eight_bits(values: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the values in 0–255, and the note on how they were brought there.

    Whole numbers up to 65 535 keep their top eight bits: of 16, or of 12 where none reaches 4096. (Dividing by 257
    would be as good, but 16-bit colour PNGs arrive as top bits, and one image must have one identity in every
    format.) Where none reaches 256 they stay as they are: an image of 8 bits in a wider type is likelier than a
    camera's that is all but black. Fractions in 0…1 are multiplied by 255, those in 0…255 rounded. Raises
    `ImageError` for the rest.
    """
    if values.dtype == np.uint8:
        return values, ()
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * 255, ()
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high < 2**8:
        return values.astype(np.uint8), ()
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high < 2**16:
        depth = 12 if high < 2**12 else 16
        note = _("{depth}-bit values were brought to 8 bits.").format(depth=depth)
        return (values >> (depth - 8)).astype(np.uint8), (note,)
    # A comparison with NaN is false.
    if np.issubdtype(values.dtype, np.floating) and low >= 0 and high <= 255:
        factor = 255 if high <= 1 else 1
        note = _("Fractional values from 0 to {high} were brought to 8 bits.").format(high=255 // factor)
        return np.rint(values * factor).astype(np.uint8), (note,)
    raise ImageError(
        _(
            "{name} holds values that are no brightness from 0 to 255 or 65 535: export it with 8 bits."
        ).format(name=name)
    )


def _rgb(values: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Return grey, grey + alpha, RGB or RGBA as RGB, transparent pixels over white."""
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 2, 3, 4):
        raise ImageError(
            _("{name} is no grey or colour image (its shape is {shape}): export it as RGB.").format(
                name=name, shape="×".join(map(str, values.shape))
            )
        )
    if values.shape[2] in (2, 4):
        alpha = values[..., -1:].astype(np.uint16)
        blended = values[..., :-1] * alpha + 255 * (255 - alpha)
        values = ((blended + 127) // 255).astype(np.uint8)
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values


def _cell_image(decoded: Decoded, name: str) -> CellImage:
    values, notes = eight_bits(decoded.values, name)
    pixels = np.array(_rgb(values, name), order="C")
    pixels.flags.writeable = False
    return CellImage(
        pixels, name, pixel_sha256(pixels), decoded.notes + notes, decoded.pixel_size_um, decoded.turned
    )


def image_from_array(pixels: NDArray[Any], name: str) -> CellImage:
    """Return grey (H, W) or grey, RGB, RGBA (H, W, 1…4) pixels in memory as an image.

    Raises `ImageError` where they cannot be shown as one.
    """
    if pixels.ndim >= 2:
        check_size(pixels.shape[1], pixels.shape[0], name)
    return _cell_image(Decoded(pixels), name)


def read_image(path: str | Path) -> CellImage:
    """Read a PNG, JPEG, BMP, TIFF or GIF (known by its content), upright, first frame.

    The size is checked before anything is decoded. Raises `ImageError`.
    """
    path = Path(path)
    name = path.name
    try:
        if path.is_dir():
            raise ImageError(_("{name} is a folder, not an image: open one of its files.").format(name=name))
        if path.exists() and not path.is_file():
            raise ImageError(_("{name} is not a file: choose an image file.").format(name=name))
        with path.open("rb") as stream:
            return _cell_image(_decode(stream, name), name)
    except FileNotFoundError as error:
        raise ImageError(
            _("{name} was not found: it may have been moved or renamed.").format(name=name)
        ) from error
    except PermissionError as error:
        raise ImageError(
            _("{name} may not be read: ask for the right to open it.").format(name=name)
        ) from error
    except OSError as error:
        raise ImageError(
            _("{name} could not be read ({reason}): check the disk or the connection.").format(
                name=name, reason=reason_of(error)
            )
        ) from error


def _decode(stream: BinaryIO, name: str) -> Decoded:
    head = stream.read(8)
    stream.seek(0)
    if not head:
        raise ImageError(_("{name} is empty: copy it again from where it came.").format(name=name))
    kind = next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)
    if kind is None:
        raise ImageError(
            _("{name} is not a PNG, JPEG, BMP, TIFF or GIF image: export it as one of these.").format(
                name=name
            )
        )
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "TIFF":
                from allxai_desktop.tiff import read_tiff

                return read_tiff(stream, name)
            return read_with_pillow(stream, name, kind)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except Exception as error:
        # What decoders raise on damaged data is beyond counting: OSError, SyntaxError, struct.error, …
        raise ImageError(
            _("{name} is damaged or cut short: copy it again from where it came.").format(name=name)
        ) from error


def read_with_pillow(stream: BinaryIO, name: str, kind: str) -> Decoded:
    """Decode a file whose format Pillow calls `kind`. Raises `ImageError`, or whatever Pillow raises on damage."""
    with Image.open(stream, formats=[kind]) as image:
        check_size(*image.size, name)
        deep = kind == "PNG" and _png_depth(stream) == 16
        # The pages of a TIFF are counted elsewhere: Pillow takes hours for hundreds of thousands.
        notes = () if kind == "TIFF" else first_of(getattr(image, "n_frames", 1))
        if notes:
            image.seek(0)
        # Pillow forgets it of a TIFF as it is loaded.
        turned = _is_turned(image)
        image.load()
        upright = _upright(image)
        if upright.mode.startswith("I") or upright.mode == "F":
            return Decoded(np.asarray(upright), notes, turned=turned)
        transparent = upright.has_transparency_data
        values = np.asarray(upright.convert("RGBA" if transparent else "RGB"))
    if deep:
        notes += top_bits_note(values[..., :3], name)
    return Decoded(values, notes, turned=turned)


def top_bits_note(values: NDArray[np.uint8], name: str) -> tuple[str, ...]:
    """Return the note on 16-bit colours of which Pillow kept the top eight bits.

    Raises `ImageError` where those bits hold next to nothing, as with the 12-bit data of cameras.
    """
    if 0 < values.max() < 2**4:
        raise ImageError(
            _("{name} uses less than a sixteenth of its 16-bit range: export it with 8 bits.").format(
                name=name
            )
        )
    return (_("{depth}-bit values were brought to 8 bits.").format(depth=16),)


def _is_turned(image: Image.Image) -> bool:
    try:
        return is_turned(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:
        return False


def is_turned(orientation: Any) -> bool:
    """Return whether the value of an orientation tag, 1 to 8, says that the pixels are not stored upright."""
    return orientation in range(2, 9)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        # EXIF data that cannot be read turns nothing; the pixels are whole.
        return image


def _png_depth(stream: BinaryIO) -> int:
    position = stream.tell()
    stream.seek(24)
    depth = stream.read(1)[0]
    stream.seek(position)
    return depth
