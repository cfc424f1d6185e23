"""Annotating: a mask painted on the canvas of a napari viewer, and the panel of its tools."""
