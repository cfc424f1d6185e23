"""Set up AllXAI Desktop in this checkout, with nothing but Python.

    python3 installer/bootstrap.py run [ARGS...]          open the window (ARGS go to `allxai`)
    python3 installer/bootstrap.py shortcut               put it into the menu of programs, to open it from there
    python3 installer/bootstrap.py test [PYTEST ARGS...]  check the code and run the tests
    python3 installer/bootstrap.py exec -- COMMAND...     run a command inside the environment

On Windows, write `py` for `python3`. Each makes or mends the environment in `.venv` first, and may be run
again at any time.

    --index-url URL   before the other arguments: take torch from this package index, for instance
                      a smaller one without CUDA (PyTorch's "Get Started" page names it)
"""

# This file alone must parse on Pythons that are too old, down to 2.7, to tell their users so.
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
CALLED = "py -%d.%d" if sys.platform == "win32" else "python%d.%d"

if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
    sys.exit(
        (
            "allxai: this is Python %d.%d, but AllXAI Desktop needs Python %d.%d to %d.%d. "
            "Install one of these and call it by its name, for instance: "
            + CALLED
            + " installer/bootstrap.py run"
        )
        % (tuple(sys.version_info[:2]) + OLDEST + NEWEST + OLDEST)
    )

from steps.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], __doc__))
