"""What the window remembers between runs."""

from collections.abc import Sequence
from os.path import exists, isdir
from pathlib import Path
from typing import cast

from qtpy.QtCore import QByteArray, QLocale, QSettings

from allxai_desktop.app.theme import THEMES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import LANGUAGES, system_language
from allxai_desktop.study.people import Person, Role

RECENT = 8
"""How many folders and images that were opened are kept."""


class WindowSettings:
    """Language, theme, and the window's geometry and panels, in the system's own place for settings."""

    def __init__(self) -> None:
        self._store = QSettings("AllXAI", "AllXAI Desktop")

    @property
    def language(self) -> str:
        """The language chosen in the menu, else the system's."""
        code = str(self._store.value("language", ""))
        # Qt knows it also where no variable of the environment says it, as on macOS.
        return code if code in LANGUAGES else system_language(QLocale.system().uiLanguages())

    @language.setter
    def language(self, code: str) -> None:
        self._store.setValue("language", code)

    @property
    def theme(self) -> str:
        """One of `THEMES`."""
        theme = str(self._store.value("theme", THEMES[0]))
        return theme if theme in THEMES else THEMES[0]

    @theme.setter
    def theme(self, theme: str) -> None:
        self._store.setValue("theme", theme)

    @property
    def proposals(self) -> bool:
        """Whether classes are proposed for each image."""
        return self._is_on("proposals")

    @proposals.setter
    def proposals(self, wanted: bool) -> None:
        self._switch("proposals", wanted)

    @property
    def map_visible(self) -> bool:
        """Whether the relevance map is shown."""
        return self._is_on("map_visible")

    @map_visible.setter
    def map_visible(self, shown: bool) -> None:
        self._switch("map_visible", shown)

    @property
    def outline_visible(self) -> bool:
        """Whether the relevant pixels are outlined."""
        return self._is_on("outline_visible")

    @outline_visible.setter
    def outline_visible(self, shown: bool) -> None:
        self._switch("outline_visible", shown)

    def layout(self) -> tuple[QByteArray, QByteArray] | None:
        """Return geometry and panel state, or None at the first run."""
        geometry, state = self._store.value("geometry"), self._store.value("state")
        if not isinstance(geometry, QByteArray) or not isinstance(state, QByteArray):
            return None
        return geometry, state

    def set_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Keep geometry and panel state."""
        self._store.setValue("geometry", geometry)
        self._store.setValue("state", state)

    @property
    def person(self) -> Person | None:
        """Who works here, a pseudonym and a role, as far as it was said."""
        name, role = self._store.value("person", ""), self._store.value("role", "")
        try:
            return Person(str(name), cast(Role, role)) if name else None
        except (AllxaiError, ValueError):
            return None

    @person.setter
    def person(self, person: Person) -> None:
        self._store.setValue("person", person.name)
        self._store.setValue("role", person.role)

    @property
    def field_auto(self) -> bool:
        """Whether the cells of large images are marked when they are opened."""
        return self._is_on("field_auto")

    @field_auto.setter
    def field_auto(self, wanted: bool) -> None:
        self._switch("field_auto", wanted)

    @property
    def crop_side(self) -> int | None:
        """The side of crops of a field in px, where the user chose one."""
        side = str(self._store.value("crop_side", ""))
        return int(side) if side.isdecimal() else None

    @crop_side.setter
    def crop_side(self, side: int | None) -> None:
        self._store.setValue("crop_side", "" if side is None else str(side))

    @property
    def last_folder(self) -> str:
        """The folder that a file dialog opens in, at first the user's own: menus of programs start in the system's."""
        return cast(str, self._store.value("last_folder", "")) or str(Path.home())

    @last_folder.setter
    def last_folder(self, folder: str) -> None:
        self._store.setValue("last_folder", folder)

    @property
    def recent(self) -> list[str]:
        """The folders and images that the user opened, the last one first."""
        return [path for path in str(self._store.value("recent", "")).split("\n") if path]

    def remember(self, path: Path) -> None:
        """Keep an absolute path that was opened."""
        others = [other for other in self.recent if other != str(path)]
        self._store.setValue("recent", "\n".join([str(path), *others][:RECENT]))

    def _is_on(self, name: str) -> bool:
        # Not every system keeps what is no text as it was; at the first run everything is on.
        return self._store.value(name, "true") == "true"

    def _switch(self, name: str, on: bool) -> None:
        self._store.setValue(name, "true" if on else "false")


def last_opened(recent: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first folder of `recent` that is there, and the first path before it that is not."""
    # Unlike pathlib, these take a share that does not answer for one that is not there.
    folder = next((path for path in recent if isdir(path)), None)
    since = recent if folder is None else recent[: recent.index(folder)]
    return folder, next((path for path in since if not exists(path)), None)
