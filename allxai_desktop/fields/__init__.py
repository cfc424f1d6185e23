"""Microscope fields with many cells, and large images: where their white cells are, and crops of them."""
