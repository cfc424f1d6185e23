import hashlib
import os

import pytest
import torch
from torch import nn

from allxai_desktop.networks.card import NetworkError
from allxai_desktop.networks.checkpoints import read_checkpoint, write_weights


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


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.tensor([1.0, float("nan")])}, path)
    with pytest.raises(NetworkError, match="not numbers"):
        read_checkpoint(path)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(NetworkError, match="cannot be read"):
        read_checkpoint(tmp_path / "none.safetensors")
