"""The checks on a tiny network whose logits are sums of colours."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from allxai_desktop.analyses.checks import CHECKS, Checks, subject, subject_of
from allxai_desktop.explainers.explain import Explainer
from allxai_desktop.images import image_from_array
from allxai_desktop.networks.network import Network


class Redness(nn.Module):
    """Logits: ten times the mean of red over the left half of the image, and minus that mean."""

    def __init__(self):
        super().__init__()
        self.image = nn.Identity()
        self.layer = nn.Linear(3 * 64, 2, bias=False)
        weight = torch.zeros(2, 3, 8, 8)
        weight[0, 0, :, :4] = 10 / 32
        weight[1] = -weight[0] / 10
        self.layer.weight.data.copy_(weight.flatten(1))

    def forward(self, x):
        return self.layer(self.image(x).flatten(1))


@pytest.fixture
def explainer():
    card = SimpleNamespace(
        classes=("red", "other"),
        input_size=(8, 8),
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        cam_layer="image",
        sha256="w",
        preprocessing="",
    )
    return Explainer(Network(card, Redness()))


@pytest.fixture
def image():
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[2:6, :2, 0] = 255
    return image_from_array(pixels, "cell.png")


def explained(explainer, image, method="gradient-x-input", target="red"):
    return subject(image, "net", explainer.explain(image.pixels, method, target))


def test_a_map_of_what_the_network_reads_beats_random_orders(explainer, image):
    found = Checks(lambda name: explainer).faithfulness(explained(explainer, image))
    # A quarter of the left half is red: logits 2.5 and −0.25.
    assert found.deletion[0] == pytest.approx(1 / (1 + np.exp(-2.75)))
    np.testing.assert_allclose(found.insertion[[0, -1]], found.deletion[[-1, 0]])
    assert found.random.shape == (20, 21)
    assert found.deletion_auc < found.random_aucs.min()
    assert found.insertion_auc > found.random_aucs.max()


def test_random_orders_are_shared_by_the_explainers_of_an_image(explainer, image):
    checks = Checks(lambda name: explainer)
    first = checks.faithfulness(explained(explainer, image))
    told = []
    second = checks.faithfulness(explained(explainer, image, "gradient"), told.append)
    assert second.random is first.random
    assert max(told) == 1.0
    other = checks.faithfulness(explained(explainer, image, target="other"))
    np.testing.assert_allclose(other.random, 1 - first.random)


def test_a_map_that_does_not_depend_on_the_image_is_stable(explainer, image):
    found = Checks(lambda name: explainer).stability(explained(explainer, image, "gradient"))
    assert found.correlation == pytest.approx(1.0)


def test_random_networks_leave_the_network_as_it_was(explainer, image):
    before = explainer.network.module.layer.weight.clone()
    found = Checks(lambda name: explainer).randomisation(explained(explainer, image, "gradient"))
    assert torch.equal(explainer.network.module.layer.weight, before)
    # The only layer is also the last one: the same draws, the same maps.
    assert found.all_layers == found.last_layer
    assert abs(found.all_correlation) < 0.5


def test_the_twin_of_lrp_z_is_found_with_the_settings_of_the_map(explainer, image):
    checks = Checks(lambda name: explainer)
    assert "Gradient × Input" in checks.twin(explained(explainer, image, "lrp-z"))
    assert "LRP-z" in checks.twin(explained(explainer, image, "gradient-x-input"))
    assert checks.twin(explained(explainer, image, "gradient")) is None


def test_every_check_can_be_run_by_its_name(explainer, image):
    checks, shown = Checks(lambda name: explainer), explained(explainer, image)
    kinds = [type(checks.run(check, shown)).__name__ for check in CHECKS]
    assert kinds == ["Faithfulness", "Stability", "Randomisation"]


def test_an_undefined_map_is_no_subject(explainer, image):
    assert explained(explainer, image, "deep-taylor", "other") is None


def test_subjects_differ_by_what_the_checks_depend_on(explainer, image):
    first = explained(explainer, image)
    assert first.key == explained(explainer, image).key
    assert first.key != explained(explainer, image, target="other").key
    assert first.key != explained(explainer, image, "gradient").key


def test_a_variant_of_the_image_is_no_subject(explainer, image):
    explanation = explainer.explain(image.pixels, "gradient")
    choices = SimpleNamespace(network="net")

    def session(before):
        return SimpleNamespace(
            image=image, result=SimpleNamespace(explanation=explanation, choices=choices, before=before)
        )

    assert subject_of(session(None)).network == "net"
    assert subject_of(session("prediction")) is None
    assert subject_of(SimpleNamespace(image=None, result=None)) is None
