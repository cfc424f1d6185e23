"""The details of the audit trail in words."""

from allxai_desktop.i18n import set_language
from allxai_desktop.study.audit import Entry
from allxai_desktop.study.audit_details import detail_text
from allxai_desktop.study.checks import Finding


def entry(action, detail):
    return Entry(1, "", "A07", "annotator", "a.png", action, detail, None, None, "", "")


def test_what_was_overruled_is_said_in_the_language_of_the_program():
    found = (
        Finding("unlabelled", 0, 7, (1, 2)),
        Finding("speck", 1, 3, (4, 5)),
        Finding("vacuole", 3, 9, (6, 7)),
    )
    written = entry("submit", "; ".join(f"overruled: {finding.note}" for finding in found))
    set_language("es")
    assert detail_text(written) == (
        "pasado por alto: Píxeles sin etiquetar: 7 (fila 1, columna 2); "
        "pasado por alto: Isla pequeña de núcleo: 3 px (fila 4, columna 5); "
        "pasado por alto: Una vacuola de 9 px está fuera de la célula (fila 6, columna 7)"
    )


def test_a_comment_keeps_its_words_and_its_place_is_translated():
    set_language("es")
    assert detail_text(entry("return", "row 3, column 14: Too wide; look\nagain")) == (
        "fila 3, columna 14: Too wide; look\nagain"
    )


def test_a_detail_of_another_version_is_shown_as_it_is():
    for action, detail in (("submit", "overruled: something new"), ("return", "?"), ("submit", "")):
        assert detail_text(entry(action, detail)) == detail
