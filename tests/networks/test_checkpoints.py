import hashlib
import os

import pytest
import torch
from torch import nn

from allxai_desktop.networks.checkpoints import read_checkpoint, write_weights
from allxai_desktop.networks.errors import NetworkError


class _Code:
    """Unpickled freely, this makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_weights_come_back_as_written(tmp_path):
    path = tmp_path / "w.safetensors"
    module = nn.Linear(2, 3)
    sha256 = write_weights(path, module)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    state = read_checkpoint(path, sha256)
    assert torch.equal(state["weight"], module.weight)
    assert torch.equal(state["bias"], module.bias)


def test_a_torch_file_of_weights_is_read(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(2)}, path)
    assert read_checkpoint(path)["a"].tolist() == [1.0, 1.0]


def test_a_checkpoint_that_holds_code_is_refused_and_not_run(tmp_path):
    path, made = tmp_path / "w.pth", tmp_path / "made"
    torch.save({"a": _Code(str(made))}, path)
    with pytest.raises(NetworkError, match="maybe code"):
        read_checkpoint(path)
    assert not made.exists()


def test_a_whole_module_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save(nn.Linear(1, 1), path)
    with pytest.raises(NetworkError, match="state_dict"):
        read_checkpoint(path)


def test_a_torch_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"epoch": 3}, path)
    with pytest.raises(NetworkError, match="no plain dictionary"):
        read_checkpoint(path)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_torchscript_program_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.jit.script(nn.Linear(2, 1)).save(str(path))
    with pytest.raises(NetworkError, match="holds more than weights"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x89PNG\r\n"])
def test_another_kind_of_file_is_damaged(tmp_path, content):
    path = tmp_path / "w.pt"
    path.write_bytes(content)
    with pytest.raises(NetworkError, match="damaged or not a checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_weights_beside_other_things_are_found(tmp_path, key):
    path = tmp_path / "w.pth"
    torch.save({"epoch": 3, key: {"module.a": torch.ones(2), "module.b": torch.zeros(1)}}, path)
    assert list(read_checkpoint(path)) == ["a", "b"]


def test_half_precision_becomes_single_and_counters_stay(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}, path)
    state = read_checkpoint(path)
    assert (state["a"].dtype, state["n"].dtype) == (torch.float32, torch.int64)


def test_a_tensor_that_claims_more_than_the_file_holds_is_not_computed_with(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(1).expand(10**6, 10**6)}, path)
    with pytest.raises(NetworkError, match="damaged"):
        read_checkpoint(path)


def test_sparse_weights_are_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.eye(3).to_sparse()}, path)
    with pytest.raises(NetworkError, match="damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize("kept", [0, 4, 20, 90])
def test_truncated_safetensors_are_damaged(tmp_path, kept):
    path = tmp_path / "w.safetensors"
    write_weights(path, nn.Linear(2, 3))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(NetworkError, match="damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize("kept", [0, 4, 500])
def test_a_truncated_torch_file_is_an_error_of_ours(tmp_path, kept):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(NetworkError):
        read_checkpoint(path)


def test_other_weights_than_the_card_describes_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    write_weights(path, nn.Linear(2, 3))
    with pytest.raises(NetworkError, match="not the ones"):
        read_checkpoint(path, "0" * 64)


# 1e300 is infinite in single precision.
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(1), "b": torch.tensor([1.0, value], dtype=torch.float64)}, path)
    with pytest.raises(NetworkError, match=r"not numbers, or infinite \(first in b\)"):
        read_checkpoint(path)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(NetworkError, match="cannot be read"):
        read_checkpoint(tmp_path / "none.safetensors")
