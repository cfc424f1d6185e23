import numpy as np
import pytest
from PIL import Image

from allxai_desktop.cli import INTERRUPTED, LEFT_OUT, main
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study import mask_import
from allxai_desktop.study.folder import Study

CODES = np.array([[1, 2, 3], [4, 5, 0]], np.uint8)


@pytest.fixture
def study(tmp_path):
    """Two images, of which the first has a mask."""
    folder = tmp_path / "study"
    (folder / "images").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (3, 2), (number, 0, 0)).save(folder / "images" / name)
    item = Study.open(folder).items[0]
    save_mask(item.mask_path, CODES, image=read_image(item.image_path))
    return folder


@pytest.fixture
def picture(tmp_path):
    """A mask of the second image with numbers of its own."""
    Image.fromarray(np.array([[128, 0, 255], [0, 0, 0]], np.uint8)).save(tmp_path / "b.png")
    return tmp_path / "b.png"


def run(capsys, *arguments):
    code = main(["masks", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.strip()


def test_export(study, tmp_path, capsys):
    arguments = ("--format", "png", "--out", tmp_path / "out", "--rename", "--images")
    assert run(capsys, "export", study, *arguments) == (
        0,
        ["1 mask exported. 1 image has no mask."],
        "",
    )
    assert np.asarray(Image.open(tmp_path / "out" / "image_0001.png")).tolist() == CODES.tolist()
    assert (tmp_path / "out" / "images" / "image_0001.png").is_file()


def test_final_masks_go_out_when_asked(study, tmp_path, capsys):
    save_mask(study / "final" / "a.npz", np.full((2, 3), 4, np.uint8))
    for name, arguments, codes in (("first", (), CODES), ("final", ("--final",), np.full((2, 3), 4))):
        out = tmp_path / name
        assert run(capsys, "export", study, "--format", "png", "--out", out, *arguments)[0] == 0
        assert np.asarray(Image.open(out / "a.png")).tolist() == codes.tolist()
    save_mask(study / "final" / "a.npz", np.eye(2, 3, dtype=np.uint8))
    _code, lines, _error = run(capsys, "export", study, "--format", "png", "--out", tmp_path / "o", "--final")
    assert lines[0] == "The final mask of a.png has open regions or cannot be read: the first mask went out."


def test_an_unknown_format_is_one_sentence(study, tmp_path, capsys):
    code, _out, error = run(capsys, "export", study, "--format", "psd", "--out", tmp_path / "out")
    assert code == 2
    assert error.startswith("There is no format psd: choose npz,")


def test_import_with_a_mapping(study, picture, capsys):
    arguments = ("--map", "128=cytoplasm", "--map", "255=Núcleo")
    assert run(capsys, "import", study, picture, *arguments) == (0, ["1 mask imported."], "")
    assert load_mask(study / "masks" / "b.npz").codes.tolist() == [[2, 0, 1], [0, 0, 0]]


def test_a_colour_may_be_written_in_capitals(study, tmp_path, capsys):
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = (255, 0, 171)
    Image.fromarray(pixels).save(tmp_path / "b.png")
    arguments = ("--map", "#FF00AB=nucleus", "--map", "#000000=background")
    assert run(capsys, "import", study, tmp_path / "b.png", *arguments) == (0, ["1 mask imported."], "")
    assert load_mask(study / "masks" / "b.npz").codes.tolist() == [[1, 5, 5], [5, 5, 5]]


def test_labels_that_are_no_class_are_told_with_the_way_on(study, picture, capsys):
    assert run(capsys, "import", study, picture) == (
        2,
        [],
        "b.png has labels that are no class (128, 255): say which class each of them is.\n"
        "To say which class a label is, add --map LABEL=CLASS.\n"
        "0 masks imported.",
    )


def test_a_mask_that_does_not_come_in_beside_others_has_an_exit_code(study, tmp_path, picture, capsys):
    folder = tmp_path / "new"
    folder.mkdir()
    picture.rename(folder / "b.png")
    Image.fromarray(CODES).save(folder / "a.png")
    code, lines, error = run(capsys, "import", study, folder, "--replace")
    assert (code, lines[-1]) == (LEFT_OUT, "1 mask imported.")
    assert error == (
        "b.png has labels that are no class (128, 255): say which class each of them is.\n"
        "To say which class a label is, add --map LABEL=CLASS."
    )


def test_a_mask_that_cannot_go_out_beside_others_has_an_exit_code(study, tmp_path, capsys):
    (study / "masks" / "b.npz").write_bytes(b"")
    code, lines, error = run(capsys, "export", study, "--format", "png", "--out", tmp_path / "out")
    assert (code, lines) == (LEFT_OUT, ["1 mask exported."])
    assert error.startswith("b.npz is ")


def test_a_mask_that_is_there_is_replaced_when_asked(study, tmp_path, capsys):
    Image.fromarray(np.full((2, 3), 4, np.uint8)).save(tmp_path / "a.png")
    assert run(capsys, "import", study, tmp_path / "a.png") == (
        0,
        [
            "To replace the masks that are there, add --replace.",
            "0 masks imported. 1 image kept the mask that it had.",
        ],
        "",
    )
    assert load_mask(study / "masks" / "a.npz").codes.tolist() == CODES.tolist()
    code, lines, _error = run(capsys, "import", study, tmp_path / "a.png", "--replace")
    assert (code, lines[-1]) == (0, "1 mask imported.")
    assert load_mask(study / "masks" / "a.npz").codes.tolist() == np.full((2, 3), 4).tolist()


@pytest.mark.parametrize("pair", ["128", "=nucleus", "128=platelet"])
def test_a_wrong_mapping_is_one_sentence(study, picture, capsys, pair):
    code, _out, error = run(capsys, "import", study, picture, "--map", pair)
    assert code == 2
    assert error.startswith(f"{pair} is no label with its class")


def test_an_import_stopped_by_ctrl_c_says_how_many_masks_are_in(study, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "new"
    folder.mkdir()
    for name in ("b.png", "c.png"):
        Image.fromarray(np.full((2, 3), 4, np.uint8)).save(folder / name)
    real = mask_import._import_one

    def stop_at_the_second(entry, *given):
        if entry.names[-1] == "c":
            raise KeyboardInterrupt
        return real(entry, *given)

    monkeypatch.setattr(mask_import, "_import_one", stop_at_the_second)
    code, _out, error = run(capsys, "import", study, folder)
    assert (code, error) == (INTERRUPTED, "The import was stopped: 1 mask is in already and stays.")
