"""What is made of explanations: comparisons, regions, what-if, and how far to trust a map."""
