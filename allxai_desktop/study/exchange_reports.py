"""What became of masks on their way out of a study or into it, in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field

from allxai_desktop.i18n import N_, _, counted


@dataclass
class ExportReport:
    """How many masks went out, how many images have none, of how many without their image others may find the mask
    turned, and a sentence on each mask that could not go out or is not the newest."""

    count: int = 0
    without: int = 0
    turned: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What was done, without the problems."""
        text = counted(self.count, N_("{count} mask exported."), N_("{count} masks exported."))
        if self.without:
            text += " " + counted(
                self.without, N_("{count} image has no mask."), N_("{count} images have no mask.")
            )
        if self.turned:
            text += " " + counted(
                self.turned,
                N_(
                    "{count} image is turned upright by its EXIF data, which not every program follows: "
                    "export the images as well."
                ),
                N_(
                    "{count} images are turned upright by their EXIF data, which not every program follows: "
                    "export the images as well."
                ),
            )
        return text

    @property
    def sentences(self) -> list[str]:
        """All that there is to say beside the summary."""
        return [*self.problems, *self.notes]

    def __str__(self) -> str:
        return self.summary + _first(self.sentences)


@dataclass
class ImportReport:
    """How many masks came in, the images that kept the mask they had, sentences on what did not come in or is
    doubtful, and whether that was for labels that are no class."""

    count: int = 0
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    foreign: bool = False

    @property
    def summary(self) -> str:
        """What was done, without the problems."""
        text = counted(self.count, N_("{count} mask imported."), N_("{count} masks imported."))
        if self.kept:
            text += " " + counted(
                len(self.kept),
                N_("{count} image kept the mask that it had."),
                N_("{count} images kept the mask that they had."),
            )
        return text

    @property
    def cancelled(self) -> str:
        """What an import that was stopped has left."""
        return counted(
            self.count,
            N_("The import was stopped: {count} mask is in already and stays."),
            N_("The import was stopped: {count} masks are in already and stay."),
        )

    @property
    def sentences(self) -> list[str]:
        """All that there is to say beside the summary, the weightiest first."""
        return self.problems + self.notes

    def __str__(self) -> str:
        return self.summary + _first(self.sentences)


def _first(sentences: list[str]) -> str:
    if len(sentences) < 2:
        return "".join(f" {sentence}" for sentence in sentences)
    return f" {sentences[0]} " + _("(and {count} more)").format(count=len(sentences) - 1)
