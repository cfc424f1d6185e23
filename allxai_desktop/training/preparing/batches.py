"""The images of an epoch in batches, made ahead of their use."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

# Bytes of inputs that are made at once, if a batch has fewer.
_MADE_TOGETHER = 2 << 20


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

    def make_all(group: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        return make([place for places in group for place in places])

    with ThreadPoolExecutor(1, thread_name_prefix="batches") as worker:
        group, end = batches[:1], 1
        coming = worker.submit(make_all, group)
        together = 0
        while group:
            inputs, targets = coming.result()
            together = together or max(1, _MADE_TOGETHER // max(1, inputs.nbytes))
            following = batches[end : end + together]
            end += together
            if following:
                coming = worker.submit(make_all, following)
            sizes = [len(places) for places in group]
            parts = zip(torch.split(inputs, sizes), torch.split(targets, sizes), strict=True)
            yield from zip(group, parts, strict=True)
            group = following


def parts_of(inputs: Tensor, targets: Tensor, at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield both in parts of nearly one size, at most `at_once`."""
    count = -(-len(inputs) // at_once)
    yield from zip(inputs.tensor_split(count), targets.tensor_split(count), strict=True)
