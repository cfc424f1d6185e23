"""A run that trains a segmenting network: pairs on disk, split, fitting, figures, card."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import N_, _
from allxai_desktop.networks.architectures import ARCHITECTURES, Architecture
from allxai_desktop.networks.card import WEIGHTS_FILE, parse_card
from allxai_desktop.networks.checkpoints import dump_weights
from allxai_desktop.networks.network import Network, resize
from allxai_desktop.networks.user import complete_card, name_from
from allxai_desktop.training import start
from allxai_desktop.training.classify import Look
from allxai_desktop.training.datasets.classmaps import read_class_map
from allxai_desktop.training.datasets.data import Item, TrainingError, read_data
from allxai_desktop.training.datasets.dataset import DataSet, look_through
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.mask_classes import mapped_classes
from allxai_desktop.training.datasets.parts import check_parts, repeated
from allxai_desktop.training.datasets.planned import (
    caution_of,
    class_map_of,
    describe_domain,
    describe_training,
    make_plan,
    part_sizes,
)
from allxai_desktop.training.datasets.splits import Split
from allxai_desktop.training.fit import fit
from allxai_desktop.training.measuring.page import Caption
from allxai_desktop.training.measuring.report import Setting, card_metrics, write_report
from allxai_desktop.training.measuring.segmentation_metrics import (
    SegmentationEvaluation,
    evaluate_segmentation,
)
from allxai_desktop.training.preparing.mask_pictures import write_mask_pictures
from allxai_desktop.training.preparing.pairs import read_classes
from allxai_desktop.training.presets import FIRST, Preset
from allxai_desktop.training.run_folder import (
    CHECKPOINT_FILE,
    SPLIT_FILE,
    open_folder,
    write_card,
    write_curves,
)
from allxai_desktop.training.run_images import CLASSES_FILE, decode, decode_images, delete_decoded, divide
from allxai_desktop.training.run_types import EpochRecord, Request, RunResult, Watcher
from allxai_desktop.training.segment import Segmentation, measure_segmentation

# Masks that are looked at, and labels that a data set of numbered nuclei has more of.
_LOOKED_AT = 20
_FEW = 4


def train_segmenter(request: Request, preset: Preset, watcher: Watcher) -> RunResult:
    """Train on the images and masks that `request` names; see `run.train`."""
    _check(request, preset)
    fetching = _("Downloading the ImageNet weights")
    start.fetch(
        preset.architecture,
        request.weights or preset.start,
        lambda share: watcher.stage(fetching, share),
    )
    result = SegmentRun(request, preset, watcher, look_through_pairs(request, watcher)).run()
    # Not before: Windows deletes no file that is still looked at as an array.
    delete_decoded(request.out)
    return result


def look_through_pairs(request: Request, watcher: Watcher) -> DataSet:
    """Read every image with its mask once. Raises `TrainingError`, `StudyError`."""
    root, items = read_data(request.data, request.groups)
    title = _("Looking through the images")
    # What a study says of its cells is not what is learnt.
    items = [replace(item, label="") for item in items]
    data = look_through(root, items, segmentation=True, progress=lambda share: watcher.stage(title, share))
    for note in data.notes:
        watcher.note(note)
    return data


def labels_note(root: Path, items: Sequence[Item]) -> list[str]:
    """Return a sentence where the masks, pictures, hold so few labels that these are classes and no numbers of nuclei.

    Some of the masks are looked at. Raises `MaskError`, `ImageError`.
    """
    pictures = [item.mask for item in items if item.mask and not item.mask.lower().endswith(".npz")]
    labels: set[int] = set()
    for mask in pictures[:: max(1, len(pictures) // _LOOKED_AT)]:
        labels |= set(np.unique(read_label_mask(root / mask)).tolist())
    labels.discard(0)
    if not 1 < len(labels) <= _FEW:
        return []
    return [
        _(
            "The masks hold the labels {labels}, which are all taken for nuclei: a class map says which of them are"
            " (--class-map)."
        ).format(labels=", ".join(map(str, sorted(labels))))
    ]


def _check(request: Request, preset: Preset) -> None:
    if request.as_published:
        raise TrainingError(
            _(
                "The preset {name} has nothing that is made before the split: leave “as published” out."
            ).format(name=preset.name)
        )
    if preset.start == FIRST and request.weights is None:
        raise TrainingError(
            _("The preset {name} goes on from a trained network: say from which one (--weights).").format(
                name=preset.name
            )
        )


class SegmentRun:
    """A run whose images are divided and decoded."""

    def __init__(self, request: Request, preset: Preset, watcher: Watcher, data: DataSet) -> None:
        assert preset.drawing is not None
        self.request, self.preset, self.watcher, self.data = request, preset, watcher, data
        self.classes = preset.drawing.classes
        if request.class_map is not None:
            self.classes = mapped_classes(self.classes, read_class_map(request.class_map))
        elif self.classes.codes is None:
            for note in labels_note(data.root, data.items):
                watcher.note(note)
        resumed = open_folder(request)
        self.saved = divide(data, preset, request, resumed=resumed)
        self.evaluated = "unseen" if self.saved.split.unseen else "test"
        check_parts(self.split, data.labels, self.evaluated)
        self.plan = make_plan(preset, request)
        side = preset.side
        pixels, self.statistics = decode_images(request.out, data, (3, side, side), self._as_input, watcher)
        self.objective = Segmentation(
            pixels,
            self._decode_masks(),
            repeated(self.split.train, self.data.strata, preset.rare, preset.at_least, self.data.proposed),
            self.split.val,
            self._info.mean,
            self._info.std,
            self.classes,
            preset.drawing.views,
            self.plan.seed,
            preset.drawing.weights,
        )

    def run(self) -> RunResult:
        """Train and measure the network, and write its card, weights, report, pictures and curves."""
        folder = self.request.out
        weights = self.request.weights or self.preset.start
        images, _masks = self.objective.batch([0], 0)
        model, first = start.begin(
            self.preset.architecture,
            len(self.classes.keys),
            self._size,
            weights,
            images,
            keras=self.preset.keras,
            seed=self.plan.seed,
        )
        records = fit(model, self.objective, self.plan, folder / CHECKPOINT_FILE, self.watcher)
        content = dump_weights(model)
        card = self._card(first, records, sha256(content).hexdigest())
        network = Network(parse_card(card), model)
        evaluation = self._measure(network, self.split.parts[self.evaluated])
        card["metrics"] = {self.evaluated: card_metrics(evaluation)}
        if self.split.val:
            card["metrics"]["validation"] = card_metrics(self._measure(network, self.split.val))
        setting = self._setting()
        write_whole(folder / WEIGHTS_FILE, content)
        write_report(folder, evaluation, setting)
        shown = [self.data.items[position] for position in self.split.parts[self.evaluated]]
        write_mask_pictures(folder, network, self.data.root, shown, self.classes)
        write_curves(folder, records, Caption(self.name, leaking=self.saved.leaking))
        write_card(folder, card)
        return RunResult(folder, card, evaluation, records)

    # Data

    @property
    def split(self) -> Split:
        """The positions of each part."""
        return self.saved.split

    def _as_input(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image (H, W, 3) as it is kept on disk (3, h, w)."""
        kept: NDArray[np.uint8] = resize(pixels, self._size)[0].round().byte().numpy()
        return kept

    def _decode_masks(self) -> NDArray[np.uint8]:
        items, size = self.data.items, self._size
        masks = (read_classes(self.data.root, item, size, self.classes) for item in items)
        path = self.request.out / CLASSES_FILE
        return decode(path, len(items), size, masks, self.watcher, _("Reading the masks"))

    # Figures

    def _measure(self, network: Network, positions: Sequence[int]) -> SegmentationEvaluation:
        items = [self.data.items[position] for position in positions]
        title = _("Measuring")
        confusions = measure_segmentation(
            network, self.data.root, items, self.classes, lambda share: self.watcher.stage(title, share)
        )
        subjects = [item.subject for item in items] if self.data.has_subjects else None
        return evaluate_segmentation(confusions, self.classes.keys, subjects, self.plan.seed)

    def _setting(self) -> Setting:
        return Setting(
            self.name,
            self.data_name,
            self.saved.kind,
            part_sizes(self.data, self.split.parts),
            self.evaluated,
            group_kind=N_("subject") if self.data.has_subjects else None,
            caution=caution_of(self.data),
            class_titles=self.classes.titles_by_language,
        )

    # The card

    @property
    def name(self) -> str:
        """What the network is called: as the folder of the run."""
        return name_from(self.request.out.resolve().name)

    @property
    def data_name(self) -> str:
        """What the data set is called: as its folder."""
        return self.request.data.resolve().name

    @property
    def _size(self) -> tuple[int, int]:
        return self.preset.side, self.preset.side

    @property
    def _info(self) -> Architecture:
        return ARCHITECTURES[self.preset.architecture]

    def _card(self, first: str, records: Sequence[EpochRecord], weights: str) -> dict[str, Any]:
        assert self.preset.drawing is not None
        training = describe_training(
            self.request, self.preset, self.plan, Look(self._info.mean, self._info.std), first, records
        )
        training |= {"random_views": repr(self.preset.drawing.views), "loss": "cross-entropy + 1 − soft Dice"}
        if self.preset.drawing.weights is not None:
            training["weights_of_classes"] = list(self.preset.drawing.weights)
        caution = caution_of(self.data)
        held_out = self.split.val or self.split.parts[self.evaluated]
        return complete_card(
            self.name,
            self.preset.architecture,
            self.classes.keys,
            {
                "title": f"{self.data_name} · {self._info.title}",
                "class_titles": {code: list(names) for code, names in self.classes.titles.items()},
                "input_size": [self.preset.side] * 2,
                "mean": list(self._info.mean),
                "std": list(self._info.std),
                "cam_layer": None,
                "sha256": weights,
                "domain": describe_domain(
                    self.data_name, self.statistics[self.split.train], self.statistics[held_out]
                ),
                "data": {
                    "name": self.data_name,
                    "images": len(self.data.items),
                    "left_out": len(self.data.skipped),
                    **class_map_of(self.request),
                },
                "split": {
                    "kind": self.saved.kind,
                    "seed": self.saved.seed,
                    "leaking": False,
                    "file": SPLIT_FILE,
                    **{name: len(part) for name, part in self.split.parts.items() if part},
                }
                | ({"caution": caution} if caution else {}),
                "training": training,
                "departures_from_paper": [*self._info.departures, *self.preset.departures],
            },
        )
