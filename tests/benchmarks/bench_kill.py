"""Kills a scripted painting run at random moments, and counts finished strokes that are missing and unreadable masks.

Run: `python tests/benchmarks/bench_kill.py [KILLS]` (200). Each run goes on where the one before was killed, so that
bringing back is killed too. A stroke is finished when `PaintModel.end_stroke` returned; the one in hand may be lost.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import MaskError, load_mask
from allxai_desktop.painting import shapes
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.study.folder import Study
from allxai_desktop.study.locks import PaintingSession
from allxai_desktop.study.opening import find_mask

SHAPE = (363, 360)
IMAGES = 3
LONGEST_SECONDS = 1.5
Masks = dict[int, NDArray[np.uint8]]


def make_study(folder: Path) -> Masks:
    """Write the images, and return their masks, which are empty."""
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        pixels = rng.integers(0, 255, (*SHAPE, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"cell_{number}.png")
    return {number: np.zeros(SHAPE, np.uint8) for number in range(IMAGES)}


def act(model: PaintModel, dice: random.Random) -> bool:
    """Paint a random stroke, or undo or redo one. Returns whether something changed."""
    before = model.codes.copy()
    kind = dice.choice(("stroke", "stroke", "stroke", "fill", "undo", "redo"))
    if kind in ("undo", "redo"):
        getattr(model, kind)()
    else:
        model.begin_stroke()
        at = (dice.uniform(0, SHAPE[0]), dice.uniform(0, SHAPE[1]))
        for _event in range(dice.randint(1, 6) if kind == "stroke" else 0):
            to = (at[0] + dice.gauss(0, 15), at[1] + dice.gauss(0, 15))
            model.apply(shapes.stroke(at, to, dice.randint(1, 30), model.shape), dice.randint(0, 5))
            at = to
        if kind == "fill":
            model.apply_window(*shapes.flood(model.codes, at), dice.randint(0, 5))
        model.end_stroke()
    return not np.array_equal(before, model.codes)


def script(seed: int) -> Iterator[tuple[int, random.Random]]:
    """Yield, without end, which image is painted next, and the dice for what is done there."""
    dice = random.Random(seed)
    shown = 0
    while True:
        for _action in range(dice.randint(1, 25)):
            yield shown, dice
        shown = (shown + dice.randint(1, IMAGES - 1)) % IMAGES


def paint(folder: Path, seed: int) -> None:
    """Paint by the script in a workspace without a window, with a sign on stdout for each action that is finished."""
    from allxai_desktop.session import Session
    from allxai_desktop.study.workspace import Workspace

    calls: list[Callable[[], None]] = []
    session = Session(PaintModel(), dispatch=calls.append)
    workspace = Workspace(session, calls.append)

    def until_shown(index: int) -> None:
        while workspace.index != index:
            while calls:
                calls.pop(0)()
            time.sleep(0.0005)

    os.write(1, b"o")
    workspace.open(folder)
    until_shown(0)
    pause = random.Random(-seed)
    for shown, dice in script(seed):
        if shown != workspace.index:
            workspace.show(shown)
            until_shown(shown)
        act(session.paint, dice)
        os.write(1, b".")
        while calls:
            calls.pop(0)()
        time.sleep(pause.choice((0, 0, 0.002, 0.02)))


def expected(seed: int, start: Masks, actions: int) -> tuple[Masks, Masks]:
    """Return the masks after the first actions of the script, and after one more."""
    masks = {number: codes.copy() for number, codes in start.items()}
    model, before = PaintModel(), None
    for number, (shown, dice) in enumerate(script(seed)):
        if number == actions:
            done = {index: codes.copy() for index, codes in masks.items()}
        if shown != before:
            # What was painted there before can be taken back, as in the program.
            model.new_image(masks[shown], path=Path(f"{shown}.npz"))
            before = shown
        act(model, dice)
        masks[shown] = model.codes.copy()
        if number == actions:
            return done, masks
    raise AssertionError("the script has no end")


@dataclass
class Outcome:
    """What was found after one kill."""

    finished: int
    missing: int
    unreadable: int
    brought_back: int
    masks: Masks


def kill_once(folder: Path, seed: int, start: Masks, seconds: float) -> Outcome:
    """Let the script paint for `seconds`, kill it, and look for what is there."""
    command = [sys.executable, __file__, "--paint", str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        time.sleep(seconds)
        process.kill()
        finished = len(process.stdout.read())
    done, one_more = expected(seed, start, finished)
    study, me = Study.open(folder), PaintingSession.new()
    outcome = Outcome(finished, 0, 0, 0, {})
    for number, item in enumerate(study.items):
        try:
            if item.mask_path.exists():
                load_mask(item.mask_path)
        except MaskError:
            outcome.unreadable += 1
        found = find_mask(item.mask_path, read_image(item.image_path), me, None)
        outcome.brought_back += found.crashed.count
        codes = outcome.masks[number] = np.asarray(found.codes)
        if found.path != item.mask_path or not (
            np.array_equal(codes, done[number]) or np.array_equal(codes, one_more[number])
        ):
            outcome.missing += 1
    return outcome


def main() -> None:
    """Print one line for the whole."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    dice = random.Random(1)
    total = {"finished": 0, "missing": 0, "unreadable": 0, "brought_back": 0}
    with tempfile.TemporaryDirectory() as name:
        masks = make_study(Path(name))
        for kill in range(kills):
            outcome = kill_once(Path(name), kill, masks, dice.uniform(0, LONGEST_SECONDS))
            masks = outcome.masks
            for key in total:
                total[key] += getattr(outcome, key)
    print(
        f"{kills} kills, {total['finished']} finished strokes; {total['brought_back']} were in a journal only, "
        "counted again where the next kill came before they were saved: "
        f"{total['missing']} images with a finished stroke missing, {total['unreadable']} unreadable masks"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--paint"]:
        paint(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
