"""What the demo networks are trained on and how: the facts that go on their cards."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from allxai_desktop.i18n import N_
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.duplicates import near_duplicates
from allxai_desktop.training.datasets.splits import Split, split_by_subject, stratified_split
from allxai_desktop.training.fit import Plan
from allxai_desktop.training.optimisers import Optimiser
from allxai_desktop.training.preparing.augment import Augmentation

VAL_SHARE = 0.1
TEST_SHARE = 0.15
SPLIT_SEED = 2020
# The images that the program shows and explains were never trained on.
SAMPLE_IMAGES = frozenset(
    path.name for path in (files("allxai_resources") / "sample_study" / "images").iterdir()
)


@dataclass(frozen=True)
class Task:
    """A data set with its classes: `folder` under the data directory holds one folder a class."""

    folder: str
    classes: tuple[str, ...]
    class_titles: dict[str, list[str]]
    positive: str | None
    subject_of: Callable[[str], str] | None
    test_subjects: frozenset[str]
    description: dict[str, str]
    data: dict[str, Any]
    split: dict[str, Any]

    def swap_subjects(self, items: list[Item]) -> "Task":
        """Return the task with the subjects of training and test exchanged."""
        subjects = {item.subject for item in items if item.subject is not None}
        return replace(self, test_subjects=frozenset(subjects - self.test_subjects))

    def split_items(self, items: list[Item], pixels: Any) -> Split:
        """Return the parts: by subject where the names hold one, else by image with near-copies together."""
        labels = [item.label for item in items]
        shown = {i for i, item in enumerate(items) if Path(item.file).name in SAMPLE_IMAGES}
        if self.test_subjects:
            return split_by_subject(
                [item.subject for item in items],
                labels,
                set(self.test_subjects),
                val=VAL_SHARE,
                seed=SPLIT_SEED,
            )
        return stratified_split(
            labels,
            near_duplicates(pixels),
            val=VAL_SHARE,
            test=TEST_SHARE,
            seed=SPLIT_SEED,
            held_out=shown,
        )


@dataclass(frozen=True)
class Recipe:
    """One demo network. `stages` are (input side in pixels, epochs), `rate` is the highest; `note` goes on its card."""

    title: dict[str, str]
    task: Task
    architecture: str
    input_side: int
    stages: tuple[tuple[int, int], ...]
    rate: float
    augmentation: Augmentation = field(default_factory=Augmentation)
    trunk: bool = False
    note: str = ""
    departures: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[int, ...]:
        """The input side of each epoch."""
        return tuple(side for side, epochs in self.stages for _ in range(epochs))

    @property
    def plan(self) -> Plan:
        """How it is fitted."""
        optimiser = Optimiser("adamw", self.rate, weight_decay=0.02)
        return Plan(len(self.sides), 32, optimiser, "cosine", bfloat16=True)


def _cnmc_subject(name: str) -> str:
    """`UID_H10_12_3_hem.png` → `H10`."""
    return name.split("_")[1]


PBC = Task(
    folder="pbc",
    classes=("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet"),
    class_titles={
        "en": [
            "Basophil", "Eosinophil", "Erythroblast", "Immature granulocyte",
            "Lymphocyte", "Monocyte", "Neutrophil", "Platelet",
        ],
        "es": [
            "Basófilo", "Eosinófilo", "Eritroblasto", "Granulocito inmaduro",
            "Linfocito", "Monocito", "Neutrófilo", "Plaqueta",
        ],
    },
    positive=None,
    subject_of=None,
    test_subjects=frozenset(),
    description={
        "en": "one cell in a field of a peripheral blood smear, May-Grünwald-Giemsa stain, one laboratory",
        "es": "una célula en un campo de frotis de sangre periférica, tinción May-Grünwald-Giemsa, un laboratorio",
    },
    data={
        "source": "Acevedo A, Merino A, Alférez S, Molina Á, Boldú L, Rodellar J. A dataset of microscopic"
        " peripheral blood cell images for development of automatic recognition systems. Data in Brief 30 (2020)"
        " 105474. A selection of 2,944 of its 17,092 images.",
        "licence": "CC BY 4.0",
        "laboratory": "Core Laboratory, Hospital Clínic de Barcelona; CellaVision DM96; healthy donors",
        "stain": "May-Grünwald-Giemsa",
    },
    split={
        "kind": "by image, stratified by class; near-copies (difference hash) kept in one part",
        "caution": "The file names hold no subject, so images of one person may lie in several parts: the figures"
        " say nothing of new persons or laboratories.",
    },
)  # fmt: skip

CNMC = Task(
    folder="cnmc",
    classes=("all", "hem"),
    class_titles={
        "en": ["Acute lymphoblastic leukaemia", "Healthy"],
        "es": ["Leucemia linfoblástica aguda", "Sana"],
    },
    positive="all",
    subject_of=_cnmc_subject,
    test_subjects=frozenset({"23", "30", "33", "H14"}),
    description={
        "en": "one cell cut out on black, Jenner-Giemsa stain, normalised colour, one laboratory",
        "es": "una célula recortada sobre negro, tinción Jenner-Giemsa, color normalizado, un laboratorio",
    },
    data={
        "source": "Gupta A, Gupta R. ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer Imaging Archive,"
        " 2019, doi:10.7937/tcia.2019.dc64i46r. A selection of 640 images.",
        "licence": "CC BY 3.0",
        "laboratory": "Laboratory Oncology Unit, AIIMS, New Delhi",
        "stain": "Jenner-Giemsa",
    },
    split={
        "kind": "by subject; the validation part is by image among the training subjects",
        "caution": "Only eight subjects with leukaemia and two healthy ones, of which one is in training and one in"
        " the test: no interval over subjects can be estimated. Validation is by image within the training"
        " subjects and far better than the test: the network has learnt these persons, and its answer about a new"
        " one is no better than its test figures. Never use it for a diagnosis.",
    },
)

_MOBILENET = (
    N_(
        "ReLU6 in place of ReLU, and padding after the last row and column at stride 2, as TensorFlow has them"
    ),
    N_("one linear layer after the average pooling, for these classes"),
)

RECIPES = {
    "pbc-mobilenet-v1": Recipe(
        title={"en": "Blood cell types · MobileNet V1", "es": "Tipos de células sanguíneas · MobileNet V1"},
        task=PBC,
        architecture="mobilenet-v1",
        input_side=224,
        stages=((160, 4), (224, 2)),
        rate=1e-3,
        trunk=True,
        departures=_MOBILENET,
    ),
    "cnmc-mobilenet-v1": Recipe(
        title={
            "en": "Leukaemia or healthy · MobileNet V1 · demonstration only",
            "es": "Leucemia o sana · MobileNet V1 · solo demostración",
        },
        task=CNMC,
        architecture="mobilenet-v1",
        input_side=224,
        stages=((160, 24), (224, 6)),
        rate=5e-4,
        augmentation=Augmentation(zoom=1.2, stain=0.25),
        trunk=True,
        note="A first recipe of eight epochs had not converged (86 % on the validation part), so this one is longer."
        " The test part had been looked at by then (55 %): its figures are not those of a single look.",
        departures=_MOBILENET,
    ),
    "pbc-googlenet": Recipe(
        title={"en": "Blood cell types · GoogLeNet", "es": "Tipos de células sanguíneas · GoogLeNet"},
        task=PBC,
        architecture="googlenet",
        input_side=160,
        stages=((96, 20), (160, 5)),
        rate=3e-3,
        departures=(
            "BatchNorm after every convolution, which the paper does not have (torchvision)",
            "3×3 kernels in place of 5×5 in the third branch of each inception module (torchvision)",
            "no auxiliary heads",
        ),
    ),
}
"""Name → recipe."""
