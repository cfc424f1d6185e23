import subprocess
import sys

import pytest
import torch

from allxai_desktop.networks import torchvision_ops

pytestmark = pytest.mark.slow


def test_torchvision_imports_after_the_schemas_are_defined():
    code = (
        "from allxai_desktop.networks.torchvision_ops import define_missing_schemas as d; d(); d();"
        "import torchvision; print(hasattr(torchvision.models, 'googlenet'))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert found.stdout.strip() == "True", found.stderr


def test_nothing_is_defined_where_the_operators_exist(monkeypatch):
    def refuse(*arguments: object) -> None:
        raise AssertionError("a library was made")

    monkeypatch.setattr(torchvision_ops, "_library", None)
    monkeypatch.setattr(torchvision_ops, "_registered", lambda name: True)
    monkeypatch.setattr(torch.library, "Library", refuse)
    torchvision_ops.define_missing_schemas()
