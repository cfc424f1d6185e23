"""Pictures of what a preset makes of an image before and while it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from psygnal import Signal
from torch.nn import functional

from allxai_desktop.i18n import N_, _
from allxai_desktop.images import read_image
from allxai_desktop.networks.network import resize
from allxai_desktop.tasks import Dispatch, TaskRunner, at_once
from allxai_desktop.training.classify import RandomSymmetries
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.preparing.augment import Augmentation, augment_items
from allxai_desktop.training.preparing.copies import QUARTER_TURNS, balanced_copies, random_view
from allxai_desktop.training.preparing.documents import beside_mask, grey_cnn_steps, nucleus_mask_steps
from allxai_desktop.training.preparing.mask_pictures import covered, mask_picture
from allxai_desktop.training.preparing.pairs import augment_pairs
from allxai_desktop.training.preparing.views import View, see

if TYPE_CHECKING:
    from allxai_desktop.training.datasets.data import Item
    from allxai_desktop.training.presets import Preset
    from allxai_desktop.training.train_model import TrainModel

VIEWS = 8
STEP_TITLES = {
    "resized": N_("at the size of the network"),
    "grey": N_("grey"),
    "normalised": N_("normalised"),
    "blurred": N_("Gaussian 5 × 5"),
    "sharpened": N_("sharpened"),
    "roi": N_("largest contour"),
    "contrast": N_("contrast"),
    "dilated": N_("dilated"),
    "denoised": N_("denoised"),
    "cleaned": N_("cleaned up"),
    "laplacian": N_("Laplacian"),
    "gaussian": N_("Gaussian"),
    "mask": N_("proposed mask"),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels uint8 (h, w, 3), and what they are, for people."""

    title: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Strip:
    """Pictures that belong together."""

    title: str
    pictures: list[Picture]


def preview(preset: Preset, pixels: NDArray[np.uint8], label: str, seed: int) -> list[Strip]:
    """Return what a classifying `preset` makes of an image (H, W, 3) of the class `label`, and the views it learns."""
    resized = _resized(pixels, preset.side)
    size = _("at {size}").format(size=f"{preset.side}×{preset.side}")
    shown = [Picture(_("original"), pixels), Picture(size, resized)]
    if preset.sharpened:
        steps = grey_cnn_steps(pixels, preset.side)
        shown += [
            Picture(_(STEP_TITLES[name]), _drawn(steps[name])) for name in ("grey", "blurred", "sharpened")
        ]
    strips = [Strip(_("What the network is shown"), shown)]
    views = _views(preset, shown[-1].pixels, label, seed)
    if views:
        strips.append(Strip(_("Views that it learns from"), [Picture("", view) for view in views]))
    return strips


def preview_pair(
    preset: Preset, pixels: NDArray[np.uint8], labels: NDArray[Any] | None, file: str, seed: int
) -> list[Strip]:
    """Return an image (H, W, 3) with its mask of `labels` (H, W) from `file`, and the views that are learnt."""
    assert preset.drawing is not None
    classes, size = preset.drawing.classes, (preset.side, preset.side)
    # The documents' preprocessing proposes nuclei, and nothing else.
    proposed = [propose_mask(pixels)] if len(classes.drawn) == 1 else []
    if labels is None:
        return proposed
    codes = classes.read(file, labels.astype(np.int32))
    given = _triptych(pixels, mask_picture(codes, classes), covered(pixels, codes, classes), _("mask"))
    mask = functional.interpolate(torch.from_numpy(codes)[None, None], size, mode="nearest-exact")[0, 0]
    image = resize(pixels, size)[0].round().byte()
    views, masks = augment_pairs(
        image.expand(VIEWS, -1, -1, -1),
        mask.expand(VIEWS, -1, -1),
        preset.drawing.views,
        seed=seed,
        epoch=0,
        items=range(VIEWS),
    )
    drawn = (255 * views).round().byte().permute(0, 2, 3, 1).numpy()
    learnt = [
        Picture("", covered(view, codes, classes)) for view, codes in zip(drawn, masks.numpy(), strict=True)
    ]
    return [
        Strip(_("The image and its mask"), given),
        Strip(_("Views that it learns from, under their masks"), learnt),
        *proposed,
    ]


def propose_mask(pixels: NDArray[np.uint8]) -> Strip:
    """Return the steps from an image (H, W, 3) to a mask of its nuclei."""
    steps = nucleus_mask_steps(pixels)
    image, mask, over = np.split(beside_mask(pixels, np.asarray(steps["mask"])), 3, axis=1)
    chain = [Picture(_(STEP_TITLES[name]), _drawn(steps[name])) for name in steps if name != "mask"]
    return Strip(
        _("The nucleus mask that the documents’ preprocessing proposes"),
        [*chain, *_triptych(image, mask, over, _("proposed mask"))[1:]],
    )


def _resized(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    seen: NDArray[np.uint8] = resize(pixels, (side, side))[0].round().byte().permute(1, 2, 0).numpy()
    return np.ascontiguousarray(seen)


def _views(preset: Preset, pixels: NDArray[np.uint8], label: str, seed: int) -> list[NDArray[np.uint8]]:
    if isinstance(preset.random, Augmentation):
        batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].expand(VIEWS, -1, -1, -1)
        seen = augment_items(batch, preset.random, seed=seed, epoch=0, items=range(VIEWS))
        drawn: NDArray[np.uint8] = (255 * seen).round().byte().permute(0, 2, 3, 1).numpy()
        return list(drawn)
    if isinstance(preset.random, RandomSymmetries):
        return _seen(pixels, [random_view(seed, 0, number, preset.random.zoom) for number in range(VIEWS)])
    if preset.enlarge == "quarter turns":
        return _seen(pixels, QUARTER_TURNS)
    if preset.enlarge == "balanced":
        return _seen(pixels, [copy.view for copy in balanced_copies([label], VIEWS, seed)])
    return []


def _seen(pixels: NDArray[np.uint8], views: Sequence[View]) -> list[NDArray[np.uint8]]:
    return [see(pixels, view) for view in views]


def _drawn(step: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a step's picture as RGB; brightness 0…1 becomes 0…255."""
    values = (
        step
        if step.dtype == np.uint8
        else np.rint(255 * np.clip(step.astype(np.float64), 0, 1)).astype(np.uint8)
    )
    return np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values


def _triptych(
    pixels: NDArray[np.uint8], mask: NDArray[np.uint8], over: NDArray[np.uint8], title: str
) -> list[Picture]:
    shown = {_("image"): pixels, title: mask, _("mask over the image"): over}
    return [Picture(text, np.ascontiguousarray(part)) for text, part in shown.items()]


class PreviewModel:
    """The pictures of one image of the data for the chosen preset; drawn on a thread of its own while `active`.

    `strips` are of the image `file`; `error` is a sentence, or "". `dispatch` as in `TaskRunner`.
    """

    changed = Signal()

    def __init__(self, model: TrainModel, dispatch: Dispatch = at_once) -> None:
        self.model = model
        self.strips: list[Strip] = []
        self.file = ""
        self.error = ""
        self._active = False
        self._place = 0
        self._drawn: tuple[object, ...] = ()
        self._runner = TaskRunner(
            dispatch, N_("This image cannot be shown: see the log, or go to another one.")
        )
        self._runner.finished.connect(self._on_drawn)
        self._runner.failed.connect(self._on_failed)
        model.choices_changed.connect(self._refresh)

    @property
    def active(self) -> bool:
        """Whether somebody looks."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        self._refresh()

    def step(self, by: int) -> None:
        """Go to another image, by a stride that soon comes to every class."""
        self._place += by
        self._refresh()

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        self.model.choices_changed.disconnect(self._refresh)
        self._runner.close()

    def _refresh(self, *_choices: object) -> None:
        model, items = self.model, self.model.data.usable
        if not self._active:
            return
        if not items:
            self._drawn, self.strips, self.file, self.error = (), [], "", ""
            self._runner.cancel()
            self.changed.emit()
            return
        item = items[self._place * _stride(len(items)) % len(items)]
        wanted = (model.data.root, item, model.choices.preset, model.choices.seed)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        root, preset, seed = model.data.root, model.preset, model.choices.seed
        self._runner.start(lambda _progress: (item.file, _draw(root, item, preset, seed)))

    def _on_drawn(self, found: tuple[str, list[Strip]]) -> None:
        self.file, self.strips = found
        self.error = ""
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        self.error, self.strips = message, []
        self.changed.emit()


def _draw(root: Any, item: Item, preset: Preset, seed: int) -> list[Strip]:
    image = read_image(root / item.file)
    if preset.task == "classification":
        return preview(preset, image.pixels, item.label, seed)
    labels = read_label_mask(root / item.mask, image) if item.mask else None
    return preview_pair(preset, image.pixels, labels, item.mask or "", seed)


def _stride(count: int) -> int:
    """Return a step near 0.38 of `count` that has no divisor in common with it, so that every image has its turn."""
    return next(step for step in range(max(1, round(0.382 * count)), count + 1) if np.gcd(step, count) == 1)
