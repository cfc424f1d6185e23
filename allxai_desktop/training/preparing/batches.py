"""The images of an epoch in batches, made ahead of their use."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

# Images that are made at once, if a batch has fewer.
_MADE_TOGETHER = 32


def batches_of(order: Sequence[int], batch: int) -> list[list[int]]:
    """Return the batches in order; a last image alone goes with those before it, for BatchNorm needs two."""
    starts = list(range(0, len(order), batch))
    if len(starts) > 1 and len(order) - starts[-1] == 1:
        starts.pop()
    return [list(order[start:end]) for start, end in zip(starts, [*starts[1:], len(order)], strict=True)]


def ahead(
    make: Callable[[Sequence[int]], tuple[Tensor, Tensor]], batches: Sequence[Sequence[int]]
) -> Iterator[tuple[Sequence[int], tuple[Tensor, Tensor]]]:
    """Yield each batch with its inputs and targets, which `make` gives for places; the next ones are made meanwhile.

    Small batches are made several at once: handing each over would take longer than learning from it.
    """
    together = max(1, _MADE_TOGETHER // max(map(len, batches)))
    groups = [batches[start : start + together] for start in range(0, len(batches), together)]

    def make_all(group: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        return make([place for places in group for place in places])

    with ThreadPoolExecutor(1, thread_name_prefix="batches") as worker:
        coming = worker.submit(make_all, groups[0])
        for number, group in enumerate(groups):
            made = coming.result()
            if number + 1 < len(groups):
                coming = worker.submit(make_all, groups[number + 1])
            sizes = [len(places) for places in group]
            parts = zip(torch.split(made[0], sizes), torch.split(made[1], sizes), strict=True)
            yield from zip(group, parts, strict=True)


def parts_of(inputs: Tensor, targets: Tensor, at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield both in parts of nearly one size, at most `at_once`."""
    count = -(-len(inputs) // at_once)
    yield from zip(inputs.tensor_split(count), targets.tensor_split(count), strict=True)
