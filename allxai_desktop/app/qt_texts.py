"""Qt's own texts, those of its buttons, file dialogs and text fields, in the language of the program."""

from qtpy.QtCore import QLibraryInfo, QTranslator

from napari_allxai_annotate.shortcuts import application


class QtTexts:
    """Has one catalogue of Qt's in use, or none for English."""

    def __init__(self) -> None:
        self._translator: QTranslator | None = None

    def set_language(self, code: str) -> None:
        """Switch to the language of a code in `i18n.LANGUAGES`."""
        self.close()
        if code != "en":
            self._translator = QTranslator()
            folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
            self._translator.load(f"qtbase_{code}", folder)
            application().installTranslator(self._translator)

    def close(self) -> None:
        """Go back to English."""
        if self._translator is not None:
            application().removeTranslator(self._translator)
            self._translator = None
