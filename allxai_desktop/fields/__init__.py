"""Microscope fields with many cells: where their white cells are, and crops of them."""
