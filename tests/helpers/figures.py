"""Where the texts of a figure lie."""


def texts_fit(boxes, whole):
    """Whether no text is cut and none lies over another; `boxes` are theirs, `whole` is that of the figure."""
    inside = all(
        whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
        for box in boxes
    )
    # Lines of one paragraph may touch by the room of their accents.
    inner = [box.padded(-4) for box in boxes]
    return inside and not any(
        one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1
        for number, one in enumerate(inner)
        for other in inner[number + 1 :]
    )
