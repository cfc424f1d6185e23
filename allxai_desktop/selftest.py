"""The check that an installation works: every network and live explainer on one image whose answer is known."""

from collections.abc import Iterator
from importlib.resources import as_file, files

import numpy as np

from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, read_image
from allxai_desktop.masks.npz import MaskFile, load_mask
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.registry import classifies, load_network, shipped_networks
from allxai_desktop.relevance import class_shares

SAMPLE, TRUE_CLASS = "MO_340650", "monocyte"


def selftest() -> Iterator[str]:
    """Yield a line on each network that passed. Raises `AllxaiError` on the first wrong answer."""
    with as_file(files("allxai_resources") / "sample_study") as folder:
        image = read_image(folder / "images" / f"{SAMPLE}.jpg")
        mask = load_mask(folder / "masks" / f"{SAMPLE}.npz", image)
    cards = [card for card in shipped_networks() if classifies(card)]
    _check(bool(cards), _("There is no trained network."))
    for card in cards:
        yield _check_network(load_network(card.name), image, mask)
    yield _("All is well.")


def _check_network(network: Network, image: CellImage, mask: MaskFile) -> str:
    from allxai_desktop.explainers.explain import Explainer

    card, seconds = network.card, 0.0
    engine = Explainer(network)
    live = {name: info for name, info in EXPLAINERS.items() if not info.on_demand}
    for name, info in live.items():
        about = f"{card.name}, {name}: "
        first, second = (engine.explain(image.pixels, name) for _attempt in range(2))
        known = TRUE_CLASS in card.classes
        _check(not known or first.prediction.predicted == TRUE_CLASS, about + _("the prediction is wrong."))
        total = sum(first.prediction.probabilities.values())
        _check(abs(total - 1) < 1e-6, about + _("the probabilities do not sum to 1."))
        seconds += second.seconds
        if info.needs_positive_logit and first.logit <= 0:
            _check(first.undefined is not None, about + _("there is a map where it is not defined."))
            continue
        if first.relevance is None or second.relevance is None:
            raise AllxaiError(about + _("there is no relevance map."))
        _check(np.array_equal(first.relevance, second.relevance), about + _("the map is not the same twice."))
        _check(
            first.relevance.shape == mask.codes.shape, about + _("the map has another size than the image.")
        )
        shares = class_shares(mask.codes, first.relevance, "red-channel", colormap=info.default_colormap)
        parts = [share.relevant_share or 0.0 for share in shares.values()]
        _check(abs(sum(parts) - 1) < 1e-9, about + _("the shares do not sum to 1."))
    return _("{network}: {predicted}, {count} explainers, {seconds:.2f} s").format(
        network=card.name,
        predicted=card.class_title(first.prediction.predicted),
        count=len(live),
        seconds=seconds,
    )


def _check(passed: bool, problem: str) -> None:
    if not passed:
        raise AllxaiError(
            _("The self-test failed: {problem} Install the program again.").format(problem=problem)
        )
