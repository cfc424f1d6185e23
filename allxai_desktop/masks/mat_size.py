"""How large a MATLAB file is once it is unpacked: 2 MB of it can be 2 GB of zeros."""

import struct
import zlib
from pathlib import Path

import h5py

# Of a file of version 5: its header, and what an element of it is called that is packed by zlib.
_HEADER = 128
_COMPRESSED = 15


def unpacked_size(path: Path, limit: int) -> int:
    """Return the bytes of all that a file holds, or a number above `limit` where there are more.

    Raises `OSError`, or whatever a damaged file leads to.
    """
    if h5py.is_hdf5(path):
        return _of_version_7(path)
    return _of_version_5(path.read_bytes(), limit)


def _of_version_7(path: Path) -> int:
    sizes: list[int] = []
    with h5py.File(path) as file:
        file.visititems(lambda _name, found: sizes.append(getattr(found, "nbytes", 0)))
    return sum(sizes)


def _of_version_5(content: bytes, limit: int) -> int:
    order = "<" if content[126:128] == b"IM" else ">"
    total, start = 0, _HEADER
    while start + 8 <= len(content) and total <= limit:
        kind, length = struct.unpack_from(f"{order}II", content, start)
        packed = content[start + 8 : start + 8 + length]
        if kind == _COMPRESSED:
            total += len(zlib.decompressobj().decompress(packed, limit + 1 - total))
        else:
            total += length
        start += 8 + length
    return total
