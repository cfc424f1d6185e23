"""Qt widgets and helpers that the panels of the suite and the window share; they know nothing of napari."""
