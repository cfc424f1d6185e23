"""Painting a mask: the engine with its history, the shapes of the tools, superpixels, clean-up."""
