"""What a network sees in crops of a field, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from allxai_desktop.fields.crops import Box
from allxai_desktop.fields.source import Field, read_box
from allxai_desktop.tasks import Progress

BATCH = 8


@dataclass(frozen=True)
class Seen:
    """The class that a network sees, and its probability 0…1; `warning` says why not to rely on it."""

    key: str
    probability: float
    warning: str | None = None


def predict(
    network: str,
    field: Field,
    boxes: Sequence[Box],
    deliver: Callable[[dict[Box, Seen]], None],
    progress: Progress,
) -> None:
    """Hand to `deliver` what a registered network sees in `boxes`, after each batch.

    Raises `NetworkError` where it cannot be read, `ImageError` where the field cannot.
    """
    # Slow to import, for it loads torch.
    import torch

    from allxai_desktop.networks.registry import load_network

    loaded = load_network(network)
    for start in range(0, len(boxes), BATCH):
        progress(start / len(boxes))
        batch = boxes[start : start + BATCH]
        crops = [read_box(field, box) for box in batch]
        shares = torch.from_numpy(loaded.logits(crops)).softmax(1)
        best = shares.max(1)
        deliver(
            {
                box: Seen(loaded.card.classes[int(index)], float(share), loaded.domain_warning(crop))
                for box, crop, share, index in zip(batch, crops, best.values, best.indices, strict=True)
            }
        )
