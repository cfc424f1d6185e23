"""A run that trains a classifying network: images on disk, split, fitting, figures, card."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import N_, _
from allxai_desktop.images import read_image
from allxai_desktop.networks.architectures import ARCHITECTURES, Architecture
from allxai_desktop.networks.card import SHARPENED, WEIGHTS_FILE, parse_card
from allxai_desktop.networks.checkpoints import dump_weights
from allxai_desktop.networks.network import Network, luminance, resize, sharpened
from allxai_desktop.networks.user import complete_card, name_from
from allxai_desktop.training import start
from allxai_desktop.training.classify import Classification, Look
from allxai_desktop.training.datasets.classmaps import NEGATIVE, read_class_map
from allxai_desktop.training.datasets.data import TrainingError, read_data
from allxai_desktop.training.datasets.dataset import DataSet, look_through
from allxai_desktop.training.datasets.parts import check_parts, make_copies
from allxai_desktop.training.datasets.planned import (
    caution_of,
    class_map_of,
    describe_domain,
    describe_training,
    make_plan,
    part_sizes,
)
from allxai_desktop.training.fit import fit
from allxai_desktop.training.measuring.evaluation import Answers, evaluate
from allxai_desktop.training.measuring.page import Caption
from allxai_desktop.training.measuring.report import Setting, card_metrics, write_report
from allxai_desktop.training.preparing.copies import Copy
from allxai_desktop.training.preparing.views import see
from allxai_desktop.training.presets import Preset
from allxai_desktop.training.run_folder import (
    CHECKPOINT_FILE,
    SPLIT_FILE,
    open_folder,
    write_card,
    write_curves,
)
from allxai_desktop.training.run_images import decode_images, delete_decoded, divide
from allxai_desktop.training.run_types import EpochRecord, Request, RunResult, Watcher
from allxai_desktop.training.words import lacking_text

# Images that the statistics of BatchNorm are measured on, and whole images that are measured at once.
_CALIBRATION = 64
_MEASURED_AT_ONCE = 16


@dataclass(frozen=True)
class Material:
    """The images of a run, looked through: what can be used, and which class is the positive one."""

    data: DataSet
    classes: tuple[str, ...]
    positive: str | None


def gather(request: Request, preset: Preset, watcher: Watcher) -> Material:
    """Read the list of images, map their classes, look each through; fetch the weights to start from.

    Raises `TrainingError`, `StudyError`, `NetworkError`.
    """
    root, items = read_data(request.data, request.groups)
    chosen = None if request.class_map is None else read_class_map(request.class_map)
    if chosen is not None:
        items = chosen.apply(items)
    classes = (
        tuple(sorted({item.label for item in items if item.label})) if chosen is None else chosen.classes
    )
    _check_classes(classes, preset)
    positive = request.positive or (None if chosen is None else chosen.positive)
    if positive is not None and positive not in classes:
        raise TrainingError(
            _("The positive class {name} is none of the classes: choose one of {classes}.").format(
                name=positive, classes=", ".join(classes)
            )
        )
    if len(classes) == 2 and positive is None:
        positive = next((name for name in classes if name.casefold() not in NEGATIVE), classes[1])
        watcher.note(_("Positive class: {name}; --positive chooses the other.").format(name=positive))
    fetching = _("Downloading the ImageNet weights")
    start.fetch(
        preset.architecture,
        request.weights or preset.start,
        lambda share: watcher.stage(fetching, share),
    )
    title = _("Looking through the images")
    data = look_through(root, items, progress=lambda share: watcher.stage(title, share))
    for note in data.notes:
        watcher.note(note)
    return Material(data, classes, positive if len(classes) == 2 else None)


def _check_classes(classes: Sequence[str], preset: Preset) -> None:
    if len(classes) < 2:
        raise TrainingError(
            _(
                "The images have {count} classes, and telling apart needs two: put them into one folder a class."
            ).format(count=len(classes))
        )
    if preset.classes is not None and len(classes) != preset.classes:
        raise TrainingError(
            _(
                "The preset {name} is for {wanted} classes, but the data have {count} ({classes}): choose a class map"
                " that joins some, or another preset."
            ).format(name=preset.name, wanted=preset.classes, count=len(classes), classes=", ".join(classes))
        )


def train_classifier(
    request: Request,
    preset: Preset,
    watcher: Watcher,
    material: Material | None = None,
    *,
    pooled: bool = False,
) -> RunResult:
    """Train on the images that `request` names, or on those of `material`; see `run.train`.

    With `pooled` the answers are measured once more, together with those of other runs.
    """
    run = Run(request, preset, watcher, material or gather(request, preset, watcher), pooled=pooled)
    result = run.finish(run.fit())
    # Windows deletes no file that is still looked at as an array.
    del run
    delete_decoded(request.out)
    return result


class Run:
    """A run whose images are divided and decoded."""

    def __init__(
        self,
        request: Request,
        preset: Preset,
        watcher: Watcher,
        material: Material,
        *,
        pooled: bool = False,
    ) -> None:
        self.request, self.preset, self.watcher = request, preset, watcher
        self.data, self.classes, self.positive = material.data, material.classes, material.positive
        resumed = open_folder(request)
        self.saved = divide(self.data, preset, request, resumed=resumed)
        self.evaluated = "unseen" if self.saved.split.unseen else "test"
        self.copies = make_copies(self.data, preset, request, self.saved)
        self.lacking = self._check_parts()
        for part, absent in self.lacking.items():
            # What is measured together with others lacks nothing then.
            if not (pooled and part == self.evaluated):
                watcher.note(lacking_text(part, absent))
        self.plan = make_plan(preset, request)
        self.labels = [self.classes.index(label) for label in self.data.labels]
        self.pixels, self.statistics = decode_images(
            request.out, self.data, self._shape, self._as_input, watcher
        )
        self.look = self._look()
        self.objective = self._objective()

    def start(self) -> tuple[nn.Module, str]:
        """Return the untrained network, and what it starts from."""
        return start.begin(
            self.preset.architecture,
            len(self.classes),
            (self.preset.side, self.preset.side),
            self.request.weights or self.preset.start,
            self._some_inputs(),
            keras=self.preset.keras,
            seed=self.plan.seed,
        )

    def fit(self) -> tuple[nn.Module, str, list[EpochRecord]]:
        """Train; return the network, what it started from, and how its epochs went."""
        model, first = self.start()
        records = fit(model, self.objective, self.plan, self.request.out / CHECKPOINT_FILE, self.watcher)
        return model, first, records

    def finish(self, fitted: tuple[nn.Module, str, list[EpochRecord]]) -> RunResult:
        """Measure the network, and write its card, weights, report, pictures and curves."""
        model, first, records = fitted
        folder = self.request.out
        weights = dump_weights(model)
        card = self._card(first, records, sha256(weights).hexdigest())
        network = Network(parse_card(card), model)
        answers = {
            name: self._answers(network, copies)
            for name, copies in self.copies.parts.items()
            if name != "train" and copies
        }
        validation = answers.get("val")
        found = evaluate(answers[self.evaluated], self.classes, self.positive, validation, self.plan.seed)
        card["metrics"] = {self.evaluated: card_metrics(found)}
        if validation is not None:
            its = evaluate(validation, self.classes, self.positive, seed=self.plan.seed)
            card["metrics"]["validation"] = card_metrics(its)
        setting = self._setting()
        write_whole(folder / WEIGHTS_FILE, weights)
        write_report(folder, found, setting)
        write_curves(folder, records, Caption(self.name, leaking=self.saved.leaking))
        write_card(folder, card)
        self.watcher.stage(_("Measuring"), 1.0)
        return RunResult(folder, card, found, records, answers[self.evaluated])

    # Data

    def _originals(self) -> dict[str, list[int]]:
        """Return the positions of the images that the copies of each part are of."""
        return {
            name: sorted({copy.position for copy in copies}) for name, copies in self.copies.parts.items()
        }

    def _check_parts(self) -> dict[str, list[str]]:
        # Of what was augmented before the split, the parts are made of copies.
        split = self.saved.split
        if self.saved.leaking:
            split = replace(split, **self._originals())
        return check_parts(split, self.data.labels, self.evaluated)

    @property
    def _shape(self) -> tuple[int, int, int]:
        return ARCHITECTURES[self.preset.architecture].channels, self.preset.side, self.preset.side

    def _as_input(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image (H, W, 3) as it is kept on disk (channels, h, w)."""
        channels, *size = self._shape
        image = resize(pixels, (size[0], size[1]))
        if channels == 1:
            image = luminance(image)
        if self.preset.sharpened:
            image = 255 * sharpened(image / 255)
        kept: NDArray[np.uint8] = image[0].round().byte().numpy()
        return kept

    def _look(self) -> Look:
        preset = self.preset
        mean, std = preset.normalisation
        if preset.normalised:
            mean, std = _mean_and_deviation(
                self.pixels, sorted({copy.position for copy in self.copies.train})
            )
        # As published, the copies themselves are what is learnt and measured.
        random = None if self.saved.leaking else preset.random
        return Look(mean, std, random, preset.sides(self.plan.epochs) if preset.shrunk else ())

    def _objective(self) -> Classification:
        train = self.copies.train
        if self.preset.at_least and self.look.random is not None:
            train = train * -(-self.preset.at_least // len(train))
        return Classification(
            self.pixels,
            self.labels,
            train,
            self.copies.val,
            self.look,
            seed=self.plan.seed,
            balanced=self.preset.weighted,
            smoothing=self.preset.smoothing,
        )

    def _some_inputs(self) -> Tensor:
        train = self.copies.train
        chosen = train[:: max(1, len(train) // _CALIBRATION)][:_CALIBRATION]
        return self.objective.inputs([Copy(copy.position) for copy in chosen])

    # Figures

    def _answers(self, network: Network, copies: Sequence[Copy]) -> Answers:
        """Return what the network says of the images themselves, as the program will show them to it."""
        logits: list[NDArray[np.float32]] = []
        for first in range(0, len(copies), _MEASURED_AT_ONCE):
            self.watcher.stage(_("Measuring"), first / len(copies))
            part = copies[first : first + _MEASURED_AT_ONCE]
            logits.append(network.logits(self._seen(copy) for copy in part))
        items = [self.data.items[copy.position] for copy in copies]
        subjects = [item.subject for item in items]
        return Answers(
            np.concatenate(logits).astype(np.float64),
            np.array([self.labels[copy.position] for copy in copies]),
            tuple(item.file for item in items),
            tuple(subjects) if all(subject is not None for subject in subjects) else None,
        )

    def _seen(self, copy: Copy) -> NDArray[np.uint8]:
        return see(read_image(self.data.root / self.data.items[copy.position].file).pixels, copy.view)

    def _setting(self) -> Setting:
        positions = {name: [copy.position for copy in copies] for name, copies in self.copies.parts.items()}
        return Setting(
            self.name,
            self.request.data.resolve().name,
            self.saved.kind,
            part_sizes(self.data, positions),
            self.evaluated,
            self.saved.leaking,
            N_("subject") if self.data.has_subjects else None,
            caution_of(self.data),
        )

    # The card

    @property
    def name(self) -> str:
        """What the network is called: as the folder of the run."""
        return name_from(self.request.out.resolve().name)

    def _card(self, first: str, records: Sequence[EpochRecord], weights: str) -> dict[str, Any]:
        info, data_name = ARCHITECTURES[self.preset.architecture], self.request.data.resolve().name
        originals, caution = self._originals(), caution_of(self.data)
        held_out = originals["val"] or originals[self.evaluated]
        return complete_card(
            self.name,
            self.preset.architecture,
            self.classes,
            {
                "title": f"{data_name} · {info.title}",
                "input_size": [self.preset.side] * 2,
                "mean": list(self.look.mean),
                "std": list(self.look.std),
                "preprocessing": SHARPENED if self.preset.sharpened else "",
                "cam_layer": info.cam_layer,
                "sha256": weights,
                "domain": describe_domain(
                    data_name, self.statistics[originals["train"]], self.statistics[held_out]
                ),
                "data": {
                    "name": data_name,
                    "images": len(self.data.items),
                    "left_out": len(self.data.skipped),
                    **class_map_of(self.request),
                    "classes": dict(Counter(self.data.labels)),
                },
                "split": {
                    "kind": self.saved.kind,
                    "seed": self.saved.seed,
                    "leaking": self.saved.leaking,
                    "file": SPLIT_FILE,
                    **{name: len(copies) for name, copies in self.copies.parts.items() if copies},
                }
                | ({"lacking": self.lacking} if self.lacking else {})
                | ({"caution": caution} if caution else {}),
                "training": describe_training(
                    self.request, self.preset, self.plan, self.look, first, records
                ),
                "departures_from_paper": [*self._departures(info), *self.preset.departures],
            },
        )

    def _departures(self, info: Architecture) -> tuple[str, ...]:
        # What the grey network departs in without this program's sharpening.
        return () if self.preset.sharpened else info.departures


def _mean_and_deviation(
    pixels: NDArray[np.uint8], positions: Sequence[int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return both for each channel of the images at `positions`, in 0…1."""
    sums = np.zeros((2, pixels.shape[1]))
    for position in positions:
        image = pixels[position].astype(np.float64) / 255
        sums += [image.mean(axis=(1, 2)), (image**2).mean(axis=(1, 2))]
    mean, square = sums / len(positions)
    std = np.sqrt(np.maximum(square - mean**2, 1e-4))
    return tuple(mean.round(4).tolist()), tuple(std.round(4).tolist())
