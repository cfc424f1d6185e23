"""The command `allxai`: opens the window, or does what one of its commands says without one.

A command that is about one package lies in it, one that is about several lies here.
"""

from __future__ import annotations

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from allxai_desktop import __version__, masks_cli, networks_cli, study_cli
from allxai_desktop.analyses import compare_cli, explain_cli
from allxai_desktop.errors import AllxaiError, LeftOutError, mend_of
from allxai_desktop.i18n import N_, _, follow_system
from allxai_desktop.proposing import bench_cli
from allxai_desktop.training import train_cli

log = logging.getLogger(__name__)

LEFT_OUT = 1
# As shells have it: 128 and the number of the signal.
INTERRUPTED = 130
_WINDOWS = os.name == "nt"


# What argparse says itself, for the catalogue: `follow_system` has it look there.
_OF_ARGPARSE = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("expected one argument"),
    N_("ignored explicit argument %r"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
)


class _Parser(argparse.ArgumentParser):
    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Write out the help first, so that it is seen here whether somebody reads it to its end."""
        if sys.stdout is not None:
            sys.stdout.flush()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """End with one sentence and exit code 2."""
        self.exit(
            2, _("{problem}: see “{command} --help”.").format(problem=message, command=self.prog) + "\n"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (those of the process when None) and return the exit code.

    `LEFT_OUT` means that something was left out, of which the standard error tells, and the rest was done; 2 is an
    error, `INTERRUPTED` a command that Ctrl-C ended.
    """
    follow_system()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console that lacks a character shows a question mark instead of ending the program.
            stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in _COMMANDS:
            _summary, add_arguments, command = _COMMANDS[arguments[0]]
            parser = _Parser(prog=f"allxai {arguments[0]}", description=_summary())
            add_arguments(parser)
            command(parser.parse_args(arguments[1:]))
            if sys.stdout is not None:
                sys.stdout.flush()
            return 0
        return _open_window(arguments)
    except AllxaiError as error:
        print(error, file=sys.stderr)
        if isinstance(error, LeftOutError):
            return LEFT_OUT
    except KeyboardInterrupt as stopped:
        print(str(stopped) or _("Stopped."), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if _nobody_reads(error):
            # Whoever did, such as `head`, wants no more. Python would write the rest at the end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 2
        log.debug("Unexpected error", exc_info=True)
        text = _(
            "Something went wrong that this program did not foresee ({kind}: {reason}): please report it."
        )
        reason = " ".join(str(error).split())
        print(mend_of(error) or text.format(kind=type(error).__name__, reason=reason), file=sys.stderr)
    return 2


def _nobody_reads(error: Exception) -> bool:
    """Whether it says that the output goes nowhere."""
    if _WINDOWS and isinstance(error, OSError) and error.errno == errno.EINVAL and sys.stdout is not None:
        # It has no word of its own for that, and says the same of a time before 1970: another line tells.
        try:
            print(flush=True)
        except OSError:
            return True
    return isinstance(error, BrokenPipeError)


def _open_window(arguments: list[str]) -> int:
    commands = "\n".join(f"  allxai {name:<12} {summary()}" for name, (summary, *_rest) in _COMMANDS.items())
    parser = _Parser(
        prog="allxai",
        description=_(
            "Opens the window: on a study, a folder of images, one image, or else the folder that was open last."
        ),
        epilog=_("Other commands (each has a --help of its own):") + "\n" + commands,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", nargs="?", metavar="STUDY_OR_IMAGE")
    parser.add_argument(
        "--version",
        action="version",
        version=f"AllXAI Desktop {__version__}",
        help=_("show the version and end"),
    )
    path = parser.parse_args(arguments).path
    if path is not None and not Path(path).exists():
        raise AllxaiError(_("{name} was not found: give the path of a study or an image.").format(name=path))
    from allxai_desktop.app.main import run

    return run(path)


_Command = tuple[
    Callable[[], str], Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]
]
_COMMANDS: dict[str, _Command] = {
    "explain": (
        lambda: _(
            "Explains an image: prints the prediction and the relevance by class, writes map and overlay."
        ),
        explain_cli.add_arguments,
        explain_cli.explain,
    ),
    "compare": (
        lambda: _("Compares explainers and networks on one image: draws them as one figure."),
        compare_cli.add_arguments,
        compare_cli.compare,
    ),
    "train": (
        lambda: _("Trains a network on a folder of images, as a source document did or better."),
        train_cli.add_arguments,
        train_cli.train,
    ),
    "masks": (
        lambda: _(
            "Exports and imports the masks of a study; proposes masks, measures how a network draws them."
        ),
        masks_cli.add_arguments,
        masks_cli.run,
    ),
    "study": (
        lambda: _("Takes images into a study; checks its audit trail; compares annotations."),
        study_cli.add_arguments,
        study_cli.run,
    ),
    "bench": (
        lambda: _("Measures how much work the proposals leave, on images whose masks are known."),
        bench_cli.add_arguments,
        bench_cli.run,
    ),
    "networks": (
        lambda: _("Lists the trained networks, or shows the card of one."),
        networks_cli.add_show_arguments,
        networks_cli.list_or_show,
    ),
    "network": (
        lambda: _("Adds a trained network of your own, or removes it."),
        networks_cli.add_arguments,
        networks_cli.run,
    ),
    "explainers": (
        lambda: _("Lists the explainers."),
        networks_cli.no_arguments,
        networks_cli.list_explainers,
    ),
    "selftest": (
        lambda: _("Explains a sample with every network and checks the answers."),
        networks_cli.no_arguments,
        networks_cli.selftest,
    ),
}
