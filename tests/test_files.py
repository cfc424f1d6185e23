import pytest

from allxai_desktop.files import WriteError, write_whole


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    name = "x" * 250 + ".npz"
    with pytest.raises(WriteError, match=r"its name is too long: give its image a shorter one\.$"):
        write_whole(tmp_path / name, b"")
    assert list(tmp_path.iterdir()) == []
