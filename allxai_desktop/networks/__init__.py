"""Architectures, trained networks with their cards, checkpoints and ONNX files."""
