"""Second annotations, how far two people agree, and the final mask that a third look makes of two."""
