"""The images of a run: divided once, and decoded once, into its folder."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.errors import reason_of
from allxai_desktop.files import patiently, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import read_image
from allxai_desktop.networks.domain import near_black_share, statistics
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.parts import make_split
from allxai_desktop.training.datasets.split_file import SavedSplit, read_split, save_split
from allxai_desktop.training.presets import Preset
from allxai_desktop.training.run_folder import SPLIT_FILE
from allxai_desktop.training.run_types import Request, Watcher

PIXELS_FILE = "pixels.npy"
CLASSES_FILE = "classes.npy"
STATISTICS_FILE = "statistics.npy"


def divide(data: DataSet, preset: Preset, request: Request, *, resumed: bool) -> SavedSplit:
    """Return the split of a run that is resumed, or make one and save it. Raises `TrainingError`, `WriteError`."""
    path = request.out / SPLIT_FILE
    if resumed and path.exists():
        return read_split(path, data)
    saved = make_split(data, preset, request)
    save_split(path, data, saved)
    return saved


def decode_images(
    folder: Path,
    data: DataSet,
    shape: Sequence[int],
    as_input: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    watcher: Watcher,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the images (N, *shape) as an array on disk, and what the domain of a network is measured by (N, 9).

    `as_input` makes an image (H, W, 3) one of `shape`. Raises `TrainingError`, `ImageError`, `WriteError`.
    """
    pixels_path, statistics_path = folder / PIXELS_FILE, folder / STATISTICS_FILE
    found: list[NDArray[np.float64]] = []
    if not statistics_path.exists():
        pixels_path.unlink(missing_ok=True)

    def images() -> Iterator[NDArray[np.uint8]]:
        for item in data.items:
            pixels = read_image(data.root / item.file).pixels
            found.append(np.array([near_black_share(pixels), *statistics(pixels)]))
            yield as_input(pixels)

    pixels = decode(pixels_path, len(data.items), shape, images(), watcher, _("Reading the images"))
    if found:
        stream = io.BytesIO()
        np.save(stream, np.stack(found), allow_pickle=False)
        # Whole: a torn file would be in the way of every resume.
        write_whole(statistics_path, stream.getbuffer())
    return pixels, np.load(statistics_path, allow_pickle=False)


def decode(
    path: Path,
    count: int,
    shape: Sequence[int],
    images: Iterable[NDArray[np.uint8]],
    watcher: Watcher,
    title: str,
) -> NDArray[np.uint8]:
    """Write `count` arrays uint8 of `shape` to `path`, one after the other, and return them as an array on disk.

    What is there already is taken: the caller deletes it where the images changed. Raises `TrainingError`.
    """
    if not path.exists():
        temporary = path.with_suffix(".part")
        try:
            # Plain writes: through a memory map a full disk ends the process without a word.
            with temporary.open("wb") as stream:
                header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
                np.lib.format.write_array_header_1_0(stream, header)
                for number, image in enumerate(images):
                    watcher.stage(title, number / count)
                    stream.write(np.ascontiguousarray(image).tobytes())
            patiently(lambda: temporary.replace(path))
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise TrainingError(
                _(
                    "The decoded images were not written to {folder} ({reason}): free the disk or choose another."
                ).format(folder=path.parent, reason=reason_of(error))
            ) from error
    watcher.stage(title, 1.0)
    found: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return found


def delete_decoded(folder: Path) -> None:
    """Delete what was decoded, once a run is over."""
    for name in (PIXELS_FILE, CLASSES_FILE, STATISTICS_FILE):
        # Windows keeps a file that is still looked at as an array, which is no reason for a run to fail.
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)
