import json

import numpy as np

from allxai_desktop.agreement.plan import SecondPlan, second_path
from allxai_desktop.cli import LEFT_OUT, main
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore


def run(capsys, *arguments):
    code = main(["study", "agreement", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.strip()


def annotate_again(study):
    SecondPlan(study).start("A02", 0.5, 0)
    for drawn in SecondPlan(study).all():
        item = next(item for item in study.items if item.image_path.name == drawn.item)
        codes = load_mask(item.mask_path).codes
        save_mask(second_path(study, item, "A02"), codes, image=read_image(item.image_path))


def test_agreement_is_printed_and_written(study, tmp_path, capsys):
    annotate_again(study)
    code, shown, error = run(capsys, study.folder, "--out", tmp_path / "new" / "out")
    assert (code, error) == (0, "")
    assert shown[0] == "A01 – A02"
    assert shown[-1] == "Written: agreement.csv, agreement.json, agreement.html."
    found = json.loads((tmp_path / "new" / "out" / "agreement.json").read_text("utf-8"))
    assert found["comparisons"][0]["overall"]["kappa_pooled"]["value"] == 1


def test_people_and_proposal(study, capsys):
    code, shown, _error = run(capsys, study.folder, "--proposal")
    assert (code, shown[0]) == (0, "People and proposal")


def test_nothing_to_compare_is_one_sentence(study, capsys):
    code, shown, error = run(capsys, study.folder)
    assert (code, shown) == (2, [])
    assert error.startswith("Nothing to compare yet: no image was annotated a second time.")


def test_what_is_left_out_is_said_beside_the_table(study, capsys):
    annotate_again(study)
    broken = next(iter((study.folder / "second" / "A02").glob("*.npz")))
    broken.write_bytes(b"PK nothing")
    code, shown, error = run(capsys, study.folder)
    assert (code, shown[0]) == (LEFT_OUT, "A01 – A02")
    assert error.startswith(f"{broken.name} is damaged")


def test_a_folder_that_cannot_be_made_is_one_sentence(study, tmp_path, capsys):
    annotate_again(study)
    (tmp_path / "file").touch()
    code, _shown, error = run(capsys, study.folder, "--out", tmp_path / "file" / "out")
    assert code == 2
    assert error.startswith("The folder out cannot be made")


def test_verify_checks_the_second_annotation_too(study, capsys):
    annotate_again(study)
    path = sorted((study.folder / "second" / "A02").glob("*.npz"))[0]
    progress = Progress(StudyStore.open(path.parent))
    progress.submit(Person("A02"), f"{path.stem}.png", mask_sha256(load_mask(path).codes))
    assert main(["study", "verify", str(study.folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1:3] == [
        "Second annotation by A02:",
        "The audit trail holds: 1 entries, and 1 masks as it tells.",
    ]
    save_mask(path, np.ones((4, 6), np.uint8))
    assert main(["study", "verify", str(study.folder)]) == 2
    assert path.stem in capsys.readouterr().err
