"""The shipped networks on the sample images, which none of them was trained on."""

import csv
from importlib.resources import as_file, files

import pytest

from allxai_desktop.images import read_image
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.study.folder import Study


@pytest.fixture(scope="module")
def study():
    with as_file(files("allxai_resources") / "sample_study") as folder:
        yield Study.open(folder)


@pytest.fixture(scope="module")
def smear_networks():
    return [load_network(card.name) for card in list_networks() if card.data["licence"] == "CC BY 4.0"]


def test_both_smear_networks_know_most_sample_cells(study, smear_networks):
    assert len(smear_networks) == 2
    for network in smear_networks:
        right = [
            network.predict(read_image(item.image_path).pixels).predicted == item.true_class
            for item in study.items
        ]
        assert sum(right) >= 10, network.card.name


def test_sample_images_are_in_the_domain_of_the_smear_networks(study, smear_networks):
    for network in smear_networks:
        for item in study.items:
            assert network.domain_warning(read_image(item.image_path).pixels) is None


def test_sample_images_warn_the_network_of_cut_outs(study):
    network = load_network("cnmc-mobilenet-v1")
    for item in study.items:
        assert "cells cut out on black" in network.domain_warning(read_image(item.image_path).pixels)


def test_sample_images_were_held_out(study, smear_networks):
    for network in smear_networks:
        with (files("allxai_resources") / "networks" / network.card.name / "held_out.csv").open() as stream:
            held_out = {row["file"].split("/")[1] for row in csv.DictReader(stream) if row["part"] == "test"}
        assert {item.image_path.name for item in study.items} <= held_out


def test_both_smear_networks_were_split_alike():
    root = files("allxai_resources") / "networks"
    lists = [(root / name / "held_out.csv").read_text() for name in ("pbc-googlenet", "pbc-mobilenet-v1")]
    assert lists[0] == lists[1]


def test_no_held_out_subject_is_in_the_training_of_the_cut_outs():
    card = next(card for card in list_networks() if card.name == "cnmc-mobilenet-v1")
    with (files("allxai_resources") / "networks" / card.name / "held_out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    subjects = {
        part: {row["file"].split("_")[1] for row in rows if row["part"] == part} for part in ("val", "test")
    }
    assert subjects["test"] == set(card.split["test_subjects"])
    assert not subjects["test"] & subjects["val"]
    assert card.metrics["test"]["positive_class"] == "all"
