"""Where a run is computed, in which precision, and how torch says that memory ran out there."""

from collections.abc import Callable

import torch

from allxai_desktop.i18n import _

# What torch calls the instructions of processors that compute in bfloat16.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
# Of the CPU, and of CUDA and its libraries, which have other words for it than `torch.OutOfMemoryError`.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "ALLOC_FAILED",
    "Unable to find a valid cuDNN algorithm",
)


def compute_device(note: Callable[[str], None] = lambda _sentence: None) -> torch.device:
    """Return the graphics card where this torch computes on it, else the CPU.

    `note` takes a sentence on a card that is there but cannot be used: too old for this torch, or full.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    try:
        _compute_on("cuda")
    except RuntimeError as error:
        note(
            _("The graphics card cannot be used ({reason}): the processor computes.").format(
                reason=str(error).partition("\n")[0]
            )
        )
        return torch.device("cpu")
    return torch.device("cuda")


def half_precision(device: torch.device, *, bfloat16: bool) -> torch.dtype | None:
    """Return what to compute in: on a card always half; on a CPU bfloat16 where it is wanted and quick, else None."""
    if device.type == "cuda":
        # Cards before 2020 have bfloat16 by detours only, many times slower.
        quick = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if quick else torch.float16
    # So have processors without instructions for it.
    has = torch.cpu.get_capabilities()
    return torch.bfloat16 if bfloat16 and any(has.get(name) for name in _BFLOAT16) else None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether torch raised `error` because memory ran out."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in str(error) for words in _OUT_OF_MEMORY
    )


def _compute_on(device: str) -> None:
    torch.ones(2, device=device).sum().item()
