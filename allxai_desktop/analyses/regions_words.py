"""Shapley values of regions in words and figures, for the panel and the command line."""

from allxai_desktop.analyses.regions import FILL_TITLES, RegionShapley
from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.i18n import N_, _

_MOST = {
    "nucleus": N_("On average, taking the nucleus out lowers the score of “{target}” the most."),
    "cytoplasm": N_("On average, taking the cytoplasm out lowers the score of “{target}” the most."),
    "vacuole": N_("On average, taking the vacuoles out lowers the score of “{target}” the most."),
    "rbc": N_("On average, taking the red blood cells out lowers the score of “{target}” the most."),
    "background": N_("On average, taking the background out lowers the score of “{target}” the most."),
}


def signed(value: float) -> str:
    """Return a number with two decimals and its sign; what rounds to zero has none."""
    text = f"{value:+.2f}".replace("-", "−")
    return "0.00" if text in {"+0.00", "−0.00"} else text


def _plain(value: float) -> str:
    return signed(value).removeprefix("+")


def conclusion(result: RegionShapley, target_title: str) -> str:
    """Return one sentence on which region the score of the target rests."""
    key = max(result.values, key=lambda region: result.values[region])
    # What is shown as 0.00 is no reason for a sentence.
    if round(result.values[key], 2) > 0:
        return _(_MOST[key]).format(target=target_title)
    return _("No region speaks for “{target}”: taking any of them out does not lower its score.").format(
        target=target_title
    )


def sum_line(result: RegionShapley, target_title: str) -> str:
    """Return what the values sum to, and what that is the difference of."""
    removed = _plain(result.logit_all_removed)
    return _(
        "{target}: sum {sum} = {logit} (logit of the image) − {removed} (logit with everything removed)"
    ).format(
        target=target_title,
        sum=signed(sum(result.values.values())),
        logit=_plain(result.logit),
        removed=f"({removed})" if removed.startswith("−") else removed,
    )


def conditions(result: RegionShapley) -> str:
    """Return what stood in place of removed regions, and how much of the image was never removed."""
    text = _("Filled with: {fill}").format(fill=_(FILL_TITLES[result.fill]))
    if result.unlabelled_share:
        share = f"{100 * result.unlabelled_share:.1f} %"
        text += " · " + _("{share} unlabelled, left in place").format(share=share)
    return text


def table(result: RegionShapley, target_title: str) -> list[str]:
    """Return the result as lines of text."""
    titles = {key: BY_KEY[key].title for key in result.values}
    width = max(map(len, titles.values()))
    return [
        _("What each region contributes to the score of {target} (Shapley values, logits):").format(
            target=target_title
        ),
        *(f"  {titles[key]:{width}}  {signed(value):>7}" for key, value in result.values.items()),
        sum_line(result, target_title),
        conditions(result),
        conclusion(result, target_title),
    ]
