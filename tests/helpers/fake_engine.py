"""An engine for a `Session` that runs no network."""

from types import SimpleNamespace

import numpy as np

from allxai_desktop.networks.registry import network_card


def alike(classes, _image):
    """All classes are as probable as each other."""
    return dict.fromkeys(classes, 1 / len(classes))


def by_darkness(classes, image):
    """The first class has the share of dark pixels as its probability, and the second the rest."""
    dark = float((image.pixels[..., 0] < 100).mean())
    return dict.fromkeys(classes, 0.0) | {classes[0]: dark, classes[1]: 1 - dark}


def red_channel(image):
    return image.pixels[..., 0].astype(np.float32)


class FakeEngine:
    """Explains the most probable class of a registered network; tells neither settings nor a sum.

    `shares` takes the classes and an image and returns how probable each class is, `relevance` takes an image and
    returns the map (H, W), `warning` takes an image and returns the domain warning.
    """

    def __init__(self, shares=alike, relevance=red_channel, warning=lambda _image: None):
        self.calls = 0
        self._shares, self._relevance, self._warning = shares, relevance, warning

    def explain(self, image, choices, progress=None):
        self.calls += 1
        shares = self._shares(network_card(choices.network).classes, image)
        predicted = max(shares, key=shares.get)
        explanation = SimpleNamespace(
            relevance=self._relevance(image),
            undefined=None,
            target=choices.target or predicted,
            logit=1.0,
            prediction=SimpleNamespace(
                probabilities=shares, logits=np.array(list(shares.values()), np.float32), predicted=predicted
            ),
            explainer=choices.explainer,
            settings={},
            conservation=None,
            seconds=0.1,
        )
        return explanation, self._warning(image)
