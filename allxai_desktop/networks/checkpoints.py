"""Weights on disk: safetensors, or a `.pt`/`.pth` that holds tensors only. Nothing is unpickled freely."""

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from allxai_desktop.i18n import _
from allxai_desktop.networks.errors import NetworkError

MAX_BYTES = 2 * 2**30
_PARALLEL = "module."
# Under what training programs save the weights beside other things.
_NESTED = ("state_dict", "model_state_dict", "model")


def read_checkpoint(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Return the tensors by name, on the CPU, real numbers as float32.

    Names that all begin with "module." lose it (weights saved from `nn.DataParallel`). Raises
    `NetworkError` for a file that cannot be read, is damaged, holds code or values that are no
    finite numbers, or does not have the SHA-256 `sha256`.
    """
    content = read_whole(path, sha256)
    state = (
        _parse_safetensors(path, content) if path.suffix == ".safetensors" else _parse_torch(path, content)
    )
    if not all(_is_plain(tensor) for tensor in state.values()):
        raise _damaged(path)
    # A few bytes can claim to be a tensor of any size, which must not be computed with.
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > 2 * max(
        len(content), 2**20
    ):
        raise _damaged(path)
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise NetworkError(
            _(
                "The weights {path} hold values that are not numbers, or infinite (first in {name}): train the"
                " network again."
            ).format(path=path, name=broken[0])
        )
    if state and all(name.startswith(_PARALLEL) for name in state):
        state = {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    return state


def read_whole(path: Path, sha256: str | None = None) -> bytes:
    """Return a file of at most 2 GB, with the SHA-256 `sha256` if one is given. Raises `NetworkError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NetworkError(
                _("{path} is larger than 2 GB and is not a network of this program.").format(path=path)
            )
        content = path.read_bytes()
    except OSError as error:
        raise NetworkError(
            _("The weights {path} cannot be read: check that the file is there.").format(path=path)
        ) from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise NetworkError(
            _(
                "The weights {path} are not the ones that their card describes: install the network again."
            ).format(path=path)
        )
    return content


def dump_weights(module: nn.Module) -> bytes:
    """Return the module's weights as safetensors."""
    return save({name: tensor.detach().clone().contiguous() for name, tensor in module.state_dict().items()})


def write_weights(path: Path, module: nn.Module) -> str:
    """Write the module's weights as safetensors and return the file's SHA-256."""
    content = dump_weights(module)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _damaged(path: Path) -> NetworkError:
    return NetworkError(
        _("The weights {path} are damaged or not a checkpoint: get the file again.").format(path=path)
    )


def _parse_safetensors(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise _damaged(path) from error


def _parse_torch(path: Path, content: bytes) -> dict[str, Tensor]:
    # A zip file, or a pickle, which torch wrote before.
    if not content.startswith((b"PK", b"\x80")):
        raise _damaged(path)
    if _is_torchscript(content):
        raise _more_than_weights(path)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _more_than_weights(path) from error
    except (RuntimeError, ValueError, KeyError, EOFError, OSError) as error:
        raise _damaged(path) from error
    if isinstance(state, dict):
        state = next((state[key] for key in _NESTED if isinstance(state.get(key), dict)), state)
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise NetworkError(
            _("{path} holds no plain dictionary of weights: save the network's state_dict.").format(path=path)
        )
    return state


def _is_torchscript(content: bytes) -> bool:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return False
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _more_than_weights(path: Path) -> NetworkError:
    return NetworkError(
        _("{path} holds more than weights, maybe code, and was not loaded: save its state_dict only.").format(
            path=path
        )
    )


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_quantized and not tensor.is_complex()
