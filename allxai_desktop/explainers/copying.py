"""A private copy of a module: its structure is copied, its tensors are shared, and it is never written to."""

import copy
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

Fingerprint = tuple[Any, ...]


class PrivateCopy:
    """`module` in evaluation mode, without hooks and without gradients, its numbers in `dtype`.

    The tensors are those of the original, read only, so that a copy costs nothing; in another
    `dtype` they are converted once. `finite`: all of them hold finite numbers only.
    """

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        self.finite = True
        self._converted: list[Tensor] = []
        self._dtype = dtype
        self.module: nn.Module = copy.deepcopy(module, self._replacements(module)).eval()
        self._sums = [checksum(tensor) for tensor in self._converted]

    def derived_from(self, *tensors: Tensor | None) -> None:
        """Note that something computed once rests on the values of `tensors`."""
        known = [tensor for tensor in tensors if tensor is not None]
        self._converted += known
        self._sums += [checksum(tensor) for tensor in known]

    def is_current(self) -> bool:
        """Return whether everything that was computed once still rests on the values that the tensors have now."""
        return [checksum(tensor) for tensor in self._converted] == self._sums

    def _replacements(self, module: nn.Module) -> dict[int, Any]:
        """What `deepcopy` takes in place of the object with an id."""
        memo: dict[int, Any] = {}
        for child in module.modules():
            for key, value in vars(child).items():
                if isinstance(value, Tensor):
                    memo[id(value)] = self._share(value)
                elif "_hooks" in key and isinstance(value, dict):
                    memo[id(value)] = OrderedDict()
        for parameter in module.parameters():
            memo[id(parameter)] = nn.Parameter(self._share(parameter), requires_grad=False)
        for buffer in module.buffers():
            memo[id(buffer)] = self._share(buffer)
        return memo

    def _share(self, tensor: Tensor) -> Tensor:
        shared = tensor.detach()
        self.finite = self.finite and _is_finite(shared)
        convert = tensor.is_floating_point() and tensor.dtype != self._dtype
        # A tensor made in inference mode cannot be saved for a backward pass.
        if convert or tensor.is_inference():
            self._converted.append(shared)
            return shared.to(self._dtype if convert else tensor.dtype, copy=True)
        return shared


def checksum(tensor: Tensor) -> str:
    """Return a cheap sum that moves when values do, even where a write goes past the version counter."""
    return repr(tensor.sum().item())


def _is_finite(tensor: Tensor) -> bool:
    # The sum of finite numbers may overflow, but it takes a tenth of the time.
    return bool(torch.isfinite(tensor.sum()) or torch.isfinite(tensor).all())


def fingerprint(module: nn.Module) -> Fingerprint:
    """Return what tells whether `module` still has the structure and the tensors that it had."""
    parts: list[Any] = []
    for name, child in module.named_modules(remove_duplicate=False):
        own = tuple(id(value) for key, value in vars(child).items() if key != "training")
        parts.append((name, id(child), type(child), own))
    for tensor in (*module.parameters(), *module.buffers()):
        version = 0 if tensor.is_inference() else tensor._version
        parts.append((id(tensor), tensor.data_ptr(), version, tensor.dtype, tensor.shape))
    return tuple(parts)
