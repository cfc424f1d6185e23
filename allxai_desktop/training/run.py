"""A whole training run, from a folder of images to a card."""

from allxai_desktop.training.classify_run import train_classifier
from allxai_desktop.training.presets import find_preset
from allxai_desktop.training.run_folder import has_begun, offer
from allxai_desktop.training.run_types import Request, RunResult, Unwatched, Watcher
from allxai_desktop.training.segment_run import train_segmenter

__all__ = ["offer", "train"]


def train(request: Request, watcher: Watcher | None = None) -> RunResult:
    """Look through the images, divide them, train, measure, and write everything into the folder of the run.

    Raises `AllxaiError` with one sentence on what to do, and `tasks.Cancelled` where the watcher did; what was done
    up to the last epoch is then kept, and the same request with `resume` goes on from there.
    """
    preset = find_preset(request.preset)
    watcher = watcher or Unwatched()
    # What can be refused at once is refused before thousands of images are read.
    has_begun(request)
    train_preset = train_segmenter if preset.task == "segmentation" else train_classifier
    return train_preset(request, preset, watcher)
