"""Running pip, with its own configuration, and naming the mend when it fails."""

import json
import os
import re
import subprocess
import sys
from collections import deque
from pathlib import Path

from .messages import SetupError, _

_DISK = re.compile(r"No space left on device|Errno 28\b|not enough space|Disk quota exceeded", re.I)
_NETWORK = re.compile(
    r"connection (error|refused|broken|aborted|reset|to \S+ timed out)|NewConnectionError|ConnectTimeout|"
    r"ReadTimeout|Max retries exceeded|Name or service not known|name resolution|Network is unreachable|"
    r"ProxyError|SSLError|HTTP error|certificate verify failed",
    re.I,
)
_NOTHING = re.compile(r"from versions: none")
_UNAVAILABLE = re.compile(r"No matching distribution found for (\S+)")
_IN_USE = re.compile(r"WinError (5|32)\b")
_LONG = re.compile(r"Long Path support", re.I)
_DENIED = re.compile(r"Permission denied|Errno 13\b|Access is denied", re.I)


def diagnose(words: str) -> str:
    """Return one sentence that names the mend for what pip said when it failed."""
    if _DISK.search(words):
        return _(
            "The disk is full. Make room (all needs about 3 GB, with CUDA 9) and run the same command again."
        )
    if _NETWORK.search(words):
        return _(
            "The package registry could not be reached. Check the network, or the proxy "
            "and index that pip is configured with, and run the same command again."
        )
    if (unavailable := _UNAVAILABLE.search(words)) and _NOTHING.search(words):
        return _(
            "pip found no {name} at all: the package registry was not reached, or has none for Python {version} "
            "on this system. Check the network and pip's settings (index-url, PIP_NO_INDEX), use 64-bit "
            "Python 3.11, or give --index-url the address of another registry, and run the same command again."
        ).format(name=unavailable[1].rstrip(";"), version="{}.{}".format(*sys.version_info[:2]))
    if unavailable:
        return _(
            "The package registry has no {name} for Python {version} on this system. Use 64-bit Python 3.11, "
            "or another registry: --index-url for torch, pip's own configuration for the rest."
        ).format(name=unavailable[1].rstrip(";"), version="{}.{}".format(*sys.version_info[:2]))
    if _LONG.search(words):
        return _(
            "Windows takes no names as long as these are with their folders. Move the project into a short folder, "
            "such as C:\\allxai, or let Windows take long ones as pip says above, and run the same command again."
        )
    if _IN_USE.search(words):
        return _(
            "Windows keeps files that are in use. Close AllXAI Desktop and what else runs from .venv, and run the "
            "same command again."
        )
    if _DENIED.search(words):
        return _(
            "A file may not be written. Make the checkout writable for you and run the same command again."
        )
    return _("pip failed; its own words are above. Run the same command again, then once more without .venv.")


def _pip(python: Path, arguments: list[str], output: int | None) -> str:
    # What a user's variables add to the path or redirect must neither hide packages nor receive them.
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    environ |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    last_words: deque[str] = deque(maxlen=100)
    with subprocess.Popen(
        [python, "-m", "pip", *arguments],
        env=environ, stdout=output, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stderr
        for line in process.stderr:
            sys.stderr.write(line)
            last_words.append(line)
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SetupError(diagnose("".join(last_words)))
    return answer


def run_pip(python: Path, arguments: list[str]) -> None:
    """Run pip of the environment's `python`, showing what it says. Raises `SetupError`."""
    _pip(python, arguments, None)


def torch_is_cuda(python: Path, pin: str, source: list[str]) -> bool:
    """Tell whether what pip would install for `pin` asks for NVIDIA's libraries. Raises `SetupError`."""
    report = _pip(
        python,
        ["install", "--dry-run", "--quiet", "--no-deps", "--report", "-", *source, pin],
        subprocess.PIPE,
    )
    needs = json.loads(report)["install"][0]["metadata"].get("requires_dist", [])
    return any(need.startswith(("cuda-", "nvidia-")) for need in needs)
