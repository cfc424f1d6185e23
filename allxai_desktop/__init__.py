"""AllXAI Desktop: ground truth, explanations and relevance by class for images of blood cells."""

__version__ = "0.1.0"
