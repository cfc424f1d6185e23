"""AllXAI Desktop: ground truth, explanations and relevance by class for images of blood cells."""

import os

# Read when torch is loaded. By default its threads wait for each other in a busy loop: with one other busy program
# on the machine a forward pass of 20 ms then takes seconds. Without, the idle machine loses nothing measurable.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
