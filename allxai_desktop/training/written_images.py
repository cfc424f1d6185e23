"""The images of a run written out, each part with its copies: for another program, or to be looked at."""

from collections.abc import Mapping
from dataclasses import replace

from allxai_desktop.i18n import _
from allxai_desktop.training.classify_run import gather
from allxai_desktop.training.datasets.parts import make_copies, make_split
from allxai_desktop.training.datasets.split_file import save_split
from allxai_desktop.training.preparing.copies import make_empty, write_copies
from allxai_desktop.training.presets import find_preset
from allxai_desktop.training.run_folder import SPLIT_FILE
from allxai_desktop.training.run_types import Request, Unwatched, Watcher
from allxai_desktop.training.segment_run import look_through_pairs


def write_images(request: Request, watcher: Watcher | None = None) -> Mapping[str, int]:
    """Write what a run would learn from and be measured on to its folder, see `write_copies`, and its split.

    What a preset draws anew in each epoch is not among it. Returns how many images each part has. Raises
    `AllxaiError`, also where the folder holds something already.
    """
    preset, watcher = find_preset(request.preset), watcher or Unwatched()
    # What can be refused at once is refused before thousands of images are read.
    make_empty(request.out, ())
    if preset.task == "segmentation":
        data = look_through_pairs(request, watcher)
    else:
        # Nothing is trained, so no weights are fetched.
        data = gather(replace(request, weights="none"), preset, watcher).data
    saved = make_split(data, preset, request)
    copies = make_copies(data, preset, request, saved)
    title = _("Writing the images")
    write_copies(data.root, data.items, copies, request.out, lambda share: watcher.stage(title, share))
    save_split(request.out / SPLIT_FILE, data, saved)
    return {part: len(images) for part, images in copies.parts.items() if images}
