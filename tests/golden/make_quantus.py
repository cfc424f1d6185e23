"""Makes `quantus.npz`: figures of Quantus 0.6.0 about maps of a small network, in float64.

Quantus has many dependencies that the project does not, so it runs in an environment of its own (Python 3.11):

    python -m venv ENV && ENV/bin/pip install quantus==0.6.0 torch==2.13.0
    ENV/bin/python tests/golden/make_quantus.py

The file holds the network as `weights/NAME` (the keys of a torch state dict), `images` and `filled`, what takes the
place of what is removed (N, H, W, 3), `codes`, the masks (N, H, W), `targets` (N,), `maps` (N, H, W), and

- a figure for each image and class, (N, classes): `mass`, `localisation`, `rank`, `top`, `influence` and `pointing`;
- curves, without their first point: `pixels/zero` (N, H·W) and `blocks/…` (N, blocks);
- `randomisation/NAME` (seeds, N): likeness of |R| once layer NAME and those after it are random, and the maps
  of those networks, `randomisation_maps/NAME` (seeds, N, H, W).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import quantus
import torch
from torch import Tensor, nn

SIZE, CLASSES, IMAGES, BLOCK, TOP, SEEDS = 24, 4, 3, 2, 0.1, (0, 1, 2)
CODES = (1, 2, 3, 4, 5)
FIRST, LAST = "0", "6"


def network() -> nn.Sequential:
    """Return a network of two convolutions, in evaluation mode."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(192, CLASSES),
    ).eval()  # fmt: skip


def as_input(images: np.ndarray) -> np.ndarray:
    """Return images (N, H, W, 3), uint8, as the network takes them (N, 3, H, W): black is 0, white is 1."""
    return images.transpose(0, 3, 1, 2) / 255


def explain(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_options: object) -> np.ndarray:
    """Return Gradient × Input, summed over the channels (N, 1, H, W)."""
    x = torch.tensor(inputs).requires_grad_()
    logits: Tensor = model(x)
    (slope,) = torch.autograd.grad(logits.gather(1, torch.tensor(targets)[:, None]).sum(), x)
    return (slope * x).sum(1, keepdim=True).detach().numpy()


def regions(rng: np.random.Generator) -> np.ndarray:
    """Return a mask (H, W) of all the classes: each pixel has that of the nearest of ten random points."""
    points, classes = rng.uniform(0, SIZE, (10, 2)), np.array(CODES * 2)
    rows, columns = np.indices((SIZE, SIZE))
    away = (rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2
    return classes[away.argmin(-1)].astype(np.uint8)


def filled_from(filled: np.ndarray) -> Callable[..., np.ndarray]:
    """Return a perturbation for Quantus that puts in the values (N, 3, H, W) of another image."""
    values = filled.reshape(len(filled), -1)

    def perturb(arr: np.ndarray, indices: np.ndarray, **_options: object) -> np.ndarray:
        changed = arr.copy()
        np.put_along_axis(changed, indices, np.take_along_axis(values, indices, 1), 1)
        return changed

    return perturb


def main() -> None:
    # Quantus makes its inputs by `torch.Tensor`, which has the default type.
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(20263)
    rng = np.random.default_rng(20263)
    model = network()
    with torch.no_grad():
        model[6].weight.mul_(40)
    images, filled = rng.integers(0, 256, (2, IMAGES, SIZE, SIZE, 3), np.uint8)
    codes = np.stack([regions(rng) for _image in images])
    x = as_input(images)
    targets = model(torch.tensor(x)).argmax(1).numpy()
    maps = explain(model, x, targets)
    quiet = {"disable_warnings": True, "display_progressbar": False}
    given = {"model": model, "x_batch": x, "y_batch": targets, "channel_first": True}

    def by_class(metric: quantus.Metric, relevance: np.ndarray) -> np.ndarray:
        shares = [metric(a_batch=relevance, s_batch=(codes == code)[:, None], **given) for code in CODES]
        return np.array(shares, np.float64).T

    top = round(TOP * SIZE * SIZE)
    figures = {
        "mass": by_class(quantus.RelevanceMassAccuracy(**quiet), maps.clip(0)),
        "localisation": by_class(
            quantus.AttributionLocalisation(abs=False, positive_attributions=True, **quiet), maps
        ),
        "rank": by_class(quantus.RelevanceRankAccuracy(**quiet), maps),
        "top": by_class(quantus.TopKIntersection(k=top, **quiet), maps),
        "influence": by_class(quantus.TopKIntersection(k=top, concept_influence=True, **quiet), maps),
        "pointing": by_class(quantus.PointingGame(**quiet), maps),
    }

    given["a_batch"] = maps
    perturb = filled_from(as_input(filled))
    blocks = {"patch_size": BLOCK, "perturb_func": perturb, **quiet}
    untouched = model(torch.tensor(x)).softmax(1).detach().numpy()[np.arange(IMAGES), targets]
    # The three channels of a pixel are equally relevant, so that three values in a step are one pixel. Quantus wants
    # a number of pixels that three divides.
    flipping = quantus.PixelFlipping(features_in_step=3, perturb_baseline=0.0, **quiet)
    least_first = quantus.RegionPerturbation(order="lerf", regions_evaluation=SIZE**2, **blocks)
    figures |= {
        "pixels/zero": np.array(flipping(softmax=True, **given)),
        "blocks/filled": np.array(quantus.Selectivity(**blocks)(softmax=True, **given)),
        "blocks/least-relevant-first": untouched[:, None] - np.array(least_first(softmax=True, **given)),
    }

    drawn: list[np.ndarray] = []

    def explain_and_keep(**asked: np.ndarray) -> np.ndarray:
        drawn.append(explain(**asked))
        return drawn[-1]

    likeness = []
    for seed in SEEDS:
        test = quantus.MPRT(layer_order="top_down", seed=seed, **quiet)
        likeness.append(test(explain_func=explain_and_keep, **given))
    # Each run explains the network itself, then with one more random layer each time: 6, 2 and 0.
    kept = np.stack(drawn)[:, :, 0].reshape(len(SEEDS), 4, IMAGES, SIZE, SIZE)
    for name, place in ((LAST, 1), (FIRST, 3)):
        figures[f"randomisation/{name}"] = np.array([found[name] for found in likeness])
        figures[f"randomisation_maps/{name}"] = kept[:, place]

    np.savez_compressed(
        Path(__file__).with_name("quantus.npz"),
        images=images,
        filled=filled,
        codes=codes,
        targets=targets,
        maps=maps[:, 0],
        **{f"weights/{name}": value.numpy() for name, value in model.state_dict().items()},
        **figures,
    )


if __name__ == "__main__":
    main()
