"""Calls of `allxai` as a person makes them."""

from allxai_desktop import cli


def fails(capsys, *arguments):
    """Return the one sentence that a call fails with; it exits with 2 and prints nothing else."""
    try:
        code = cli.main([*map(str, arguments)])
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.rstrip().endswith(".")
    return err
