"""How much work the proposals leave: mean IoU of nucleus and cytoplasm after 0 to 10 discs of a simulated annotator.

Run: `python tests/benchmarks/bench_annotate.py IMAGES MASKS [N]`, on images of a laboratory that the network never
saw. It is `allxai bench annotate`, beside the goals: nucleus 0.93 and cytoplasm 0.80 with no disc, 0.95 and 0.90
with three.
"""

import sys
from pathlib import Path

import numpy as np

from allxai_desktop.proposing.effort import STEPS, measure, pairs

GOALS = {0: (0.93, 0.80), 3: (0.95, 0.90)}


def main(images: str, masks: str, count: str | None = None) -> None:
    found = pairs(Path(images), Path(masks))
    number = len(found) if count is None else min(int(count), len(found))
    efforts = list(measure([found[place * len(found) // number] for place in range(number)]))
    nucleus = np.nanmean([effort.nucleus for effort in efforts], axis=0)
    cytoplasm = np.nanmean([effort.cytoplasm for effort in efforts], axis=0)
    print(f"{number} of {len(found)} images")
    for step, *reached in zip(STEPS, nucleus, cytoplasm, strict=True):
        goal = GOALS.get(step)
        words = (
            ""
            if goal is None
            else f"   goal {goal[0]:.2f} {goal[1]:.2f}: "
            + " ".join(
                "reached" if got >= wanted else "missed" for got, wanted in zip(reached, goal, strict=True)
            )
        )
        print(f"{step:3} discs   nucleus {reached[0]:.3f}   cytoplasm {reached[1]:.3f}{words}")
    updates = np.array([seconds for effort in efforts for seconds in effort.update_seconds])
    print(f"update: median {np.median(updates):.3f} s, 95 % under {np.percentile(updates, 95):.3f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
