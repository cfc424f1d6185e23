"""What is in a file that the program wrote."""

from pathlib import Path

import numpy as np


def content(path: Path) -> bytes:
    """Return the bytes in which a text can be looked for: of an `.npz`, which is compressed, what it holds."""
    if path.suffix != ".npz":
        return path.read_bytes()
    with np.load(path) as archive:
        return repr({name: archive[name].tolist() for name in archive.files}).encode()
