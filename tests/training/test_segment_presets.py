import pytest
import torch

from allxai_desktop.networks.architectures import build
from allxai_desktop.training.presets import FIRST, PRESETS

DRAWING = {name: preset for name, preset in PRESETS.items() if preset.drawing is not None}


def test_the_u_nets():
    assert list(DRAWING) == ["unet-nuclei", "unet-nuclei-2", "unet-five-classes"]
    assert all(preset.task == "segmentation" for preset in DRAWING.values())
    assert not [p.name for p in PRESETS.values() if p.task == "segmentation" and p.name not in DRAWING]


@pytest.mark.parametrize("name", ["unet-nuclei", "unet-nuclei-2"])
def test_it_is_the_u_net_of_its_source_on_80_10_10(name):
    preset = DRAWING[name]
    assert (preset.val, preset.test) == (0.1, 0.1)
    assert preset.classes == len(preset.drawing.classes.keys)
    with torch.device("meta"):
        model = build(preset.architecture, preset.classes, (preset.side, preset.side))
        views = torch.zeros(1, 3, preset.drawing.views.crop, preset.drawing.views.crop)
        # 1,941,105 of one class; each further one has 16 weights and a bias.
        assert sum(p.numel() for p in model.parameters()) == 1_941_105 + 17 * (preset.classes - 1)
        assert model(views).shape == (1, preset.classes, *views.shape[2:])


def test_that_for_five_classes_begins_with_a_trunk_that_saw_many_images():
    preset = DRAWING["unet-five-classes"]
    assert (preset.architecture, preset.start, preset.classes) == ("mobilenet-v1-unet", "imagenet", 5)


def test_only_the_second_stage_begins_with_a_trained_network():
    assert [name for name, preset in DRAWING.items() if preset.start == FIRST] == ["unet-nuclei-2"]


def test_what_the_paper_leaves_open_is_said():
    assert "are not given" in DRAWING["unet-nuclei"].departures[0]
    assert "is not given" in DRAWING["unet-nuclei-2"].departures[0]
    assert "trains no network" in DRAWING["unet-five-classes"].departures[0]
