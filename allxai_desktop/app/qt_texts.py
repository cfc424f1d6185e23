"""Qt's own texts, those of its buttons, file dialogs and text fields, in the language of the program."""

from qtpy.QtCore import QLibraryInfo, QTranslator

from allxai_desktop.i18n import _
from napari_allxai_annotate.shortcuts import application


class _FileDialog(QTranslator):
    """Texts of the file dialog that Qt's own catalogues lack; it is asked last, and others stay as they are."""

    def __init__(self) -> None:
        super().__init__()
        self._texts = {"&Look in:": _("&Look in:"), "Files of &type:": _("Files of &type:")}

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, text: str, _comment: str | None = None, _count: int = -1) -> str:
        return self._texts.get(text, text) if context == "QFileDialog" else text


class QtTexts:
    """Has one catalogue of Qt's in use, or none for English."""

    def __init__(self) -> None:
        self._translators: list[QTranslator] = []

    def set_language(self, code: str) -> None:
        """Switch to the language of a code in `i18n.LANGUAGES`."""
        self.close()
        if code != "en":
            own = QTranslator()
            own.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
            # Qt asks the newest first.
            self._translators = [_FileDialog(), own]
            for translator in self._translators:
                application().installTranslator(translator)

    def close(self) -> None:
        """Go back to English."""
        for translator in self._translators:
            application().removeTranslator(translator)
        self._translators = []
