"""Explaining: prediction and relevance over an image, by class; comparisons and checks."""
