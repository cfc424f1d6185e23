"""A file from the internet, checked before it is kept."""

import hashlib
import secrets
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import certifi

from allxai_desktop.files import patiently
from allxai_desktop.i18n import _
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.tasks import Progress, unwatched

# Bytes between two reports of progress, and seconds without an answer until the connection counts as lost.
_CHUNK = 1 << 18
_PATIENCE = 10


def download(url: str, path: Path, sha256: str, progress: Progress = unwatched) -> None:
    """Put what lies at `url` into the file `path`; its SHA-256 begins with `sha256`.

    Raises `NetworkError` and what `progress` raises; there is no file then, and none that is not whole.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as stream:
            found = _copy(url, stream, path.name, progress)
        if not found.startswith(sha256):
            raise NetworkError(
                _("{name} did not arrive whole: try again, or choose other weights to start from.").format(
                    name=path.name
                )
            )
        patiently(lambda: partial.replace(path))
    except OSError as error:
        raise NetworkError(
            _(
                "{name} was not kept in {folder} ({reason}): free space there, or choose other weights."
            ).format(name=path.name, folder=path.parent, reason=error.strerror or error)
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _copy(url: str, stream: IO[bytes], name: str, progress: Progress) -> str:
    """Copy the file to `stream` and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with _asking(name):
        answer = urlopen(url, timeout=_PATIENCE, context=certificates())
    with answer:
        size = int(answer.headers.get("Content-Length") or 0)
        while True:
            progress(min(done / size, 1.0) if size else 0.0)
            with _asking(name):
                content = answer.read(_CHUNK)
            if not content:
                return digest.hexdigest()
            stream.write(content)
            digest.update(content)
            done += len(content)


def certificates() -> ssl.SSLContext:
    """Return by whose word a server is believed to be the one that it says it is."""
    known = ssl.create_default_context()
    if sys.platform == "darwin":
        # The Python of python.org knows none there before a script beside it was run.
        known.load_verify_locations(certifi.where())
    return known


@contextmanager
def _asking(name: str) -> Iterator[None]:
    # What goes wrong here is the connection's fault, elsewhere it is the disk's.
    try:
        yield
    except (OSError, HTTPException) as error:
        raise NetworkError(
            _(
                "{name} could not be downloaded ({reason}): connect to the internet, or start from a file or from"
                " random numbers."
            ).format(name=name, reason=getattr(error, "reason", None) or str(error) or type(error).__name__)
        ) from error
