"""Slides too large for memory: read in parts, and shown at any zoom."""
