"""Networks trained on the images of a laboratory: presets, runs, and what comes of them."""
