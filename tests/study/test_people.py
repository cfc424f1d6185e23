import pytest

from allxai_desktop.study.people import Person, PersonError


def test_a_pseudonym_is_enough():
    assert Person("A07").role == "annotator"
    assert Person("María 2", "reviewer").name == "María 2"


@pytest.mark.parametrize("name", ["", " ", "a@b.c", "A07 ", "x" * 33, "a/b", "line\nbreak", "_"])
def test_an_address_or_no_name_is_refused(name):
    with pytest.raises(PersonError, match="1 to 32 letters"):
        Person(name)


def test_an_unknown_role_is_an_error():
    with pytest.raises(ValueError, match="boss"):
        Person("A07", "boss")
