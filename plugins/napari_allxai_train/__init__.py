"""Training: the window in which a lab trains a network on its own images."""
