"""How much work the proposals leave: mean IoU of nucleus and cytoplasm after 0 to 10 discs of a simulated annotator.

Run: `python tests/benchmarks/bench_annotate.py IMAGES MASKS [N]`, on images of a laboratory that the network never
saw. It is `allxai bench annotate`, beside the goals: nucleus 0.93 and cytoplasm 0.80 with no disc, 0.95 and 0.90
with three.
"""

import sys
from pathlib import Path

import numpy as np

from allxai_desktop.proposing.effort import mean_overlaps, measure, pairs, spread_evenly

GOALS = {0: (0.93, 0.80), 3: (0.95, 0.90)}


def verdict(step: int, reached: list[float]) -> str:
    if step not in GOALS:
        return ""
    words = ["reached" if got >= goal else "missed" for got, goal in zip(reached, GOALS[step], strict=True)]
    return f"goal {GOALS[step][0]:.2f} {words[0]}, {GOALS[step][1]:.2f} {words[1]}"


def main(images: str, masks: str, count: str | None = None) -> None:
    found = pairs(Path(images), Path(masks))
    chosen = spread_evenly(found, None if count is None else int(count))
    efforts = list(measure(chosen))
    print(f"{len(chosen)} of {len(found)} images")
    for step, *reached in mean_overlaps(efforts):
        print(
            f"{step:3} discs   nucleus {reached[0]:.3f}   cytoplasm {reached[1]:.3f}   {verdict(step, reached)}"
        )
    updates = np.array([seconds for effort in efforts for seconds in effort.update_seconds])
    print(f"update: median {np.median(updates):.3f} s, 95 % under {np.percentile(updates, 95):.3f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
