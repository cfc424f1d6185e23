"""Lets torchvision from the registry, built for CUDA, be imported beside a CPU build of torch."""

import torch

# Kept for the life of the program: the definitions go when the library is collected.
_library: torch.library.Library | None = None


def define_missing_schemas() -> None:
    """Define the operators `torchvision::nms` and `qnms`, by schema only, where they do not exist.

    Must run before the first `import torchvision`. torchvision then imports; its models and
    transforms work, the two operators themselves do not.
    """
    global _library
    if _library is not None or _registered("nms"):
        return
    _library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        _library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]


def _registered(name: str) -> bool:
    return bool(torch._C._dispatch_has_kernel(f"torchvision::{name}"))
