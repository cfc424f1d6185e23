"""Work in stages, each with its part of the progress."""

from allxai_desktop.tasks import Progress


def stage(progress: Progress, start: float, end: float) -> Progress:
    """Return the progress of a stage that lasts from `start` to `end` of the whole, both 0…1."""
    return lambda share: progress(start + (end - start) * share)
