"""No graphics card is there when tests run: what torch says of one is put in its place."""

import pytest
import torch

from allxai_desktop.training import device
from allxai_desktop.training.device import compute_device, half_precision, is_out_of_memory

CARD, CPU = torch.device("cuda"), torch.device("cpu")


def test_without_a_card_the_processor_computes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert compute_device() == CPU


def test_a_card_that_computes_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "_compute_on", lambda _device: None)
    assert compute_device() == CARD


def test_a_card_that_this_torch_is_too_new_for_is_left_alone_and_named(monkeypatch):
    def fail(_device):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA …")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "_compute_on", fail)
    notes = []
    assert compute_device(notes.append) == CPU
    assert notes == [
        "The graphics card cannot be used (CUDA error: no kernel image is available for execution on the device):"
        " the processor computes."
    ]


@pytest.mark.parametrize(("quick", "wanted"), [(True, torch.bfloat16), (False, torch.float16)])
def test_bfloat16_that_a_card_only_emulates_is_not_used(monkeypatch, quick, wanted):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or quick
    )
    assert half_precision(CARD, bfloat16=False) == wanted


@pytest.mark.parametrize(
    ("has", "asked", "wanted"),
    [
        ({"avx512_bf16": True}, True, torch.bfloat16),
        ({"avx512_bf16": True}, False, None),
        ({"avx512_bf16": False}, True, None),
    ],
)
def test_a_processor_computes_in_bfloat16_where_asked_and_quick(monkeypatch, has, asked, wanted):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert half_precision(CPU, bfloat16=asked) == wanted


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to …"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_memory_that_ran_out_is_known_by_what_torch_says(error, found):
    assert is_out_of_memory(error) is found
