"""What the program proposes for an image, and how it learns from the strokes of a person."""
