"""Brings the gettext catalogues up to date: `python installer/translations.py` after changing a text.

New texts appear in the `.po` file without a translation (a test fails until they have one); the
`.mo` file that the program reads is written from it.
"""

import ast
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("allxai_desktop", "plugins", "installer")
LANGUAGES = ("es",)
KEYWORDS = {"_", "N_"}


def po_path(language: str) -> Path:
    """Return the catalogue that people edit."""
    return ROOT / "resources" / "translations" / language / "LC_MESSAGES" / "allxai.po"


def extract() -> Catalog:
    """Return every text in the source that is marked for translation."""
    found = Catalog(project="AllXAI Desktop", charset="utf-8")
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            # The syntax tree and not Babel's tokens, which hide a text inside an f-string.
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id in KEYWORDS and node.args and isinstance(node.args[0], ast.Constant):
                    # Without line numbers the catalogue changes only where a text does.
                    found.add(node.args[0].value, locations=[(path.relative_to(ROOT).as_posix(), None)])
    return found


def main() -> None:
    """Merge new texts into each catalogue and compile it."""
    template = extract()
    for language in LANGUAGES:
        path = po_path(language)
        catalogue = Catalog(locale=language, project="AllXAI Desktop", charset="utf-8")
        if path.exists():
            with path.open("rb") as stream:
                catalogue = read_po(stream, locale=language)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with path.open("wb") as stream:
            write_po(stream, catalogue, sort_output=True, width=110, omit_header=False)
        with path.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalogue)
        missing = [message.id for message in catalogue if message.id and not message.string]
        print(f"{path}: {len(catalogue)} texts, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
