"""How good a trained network is: figures with their intervals, pictures, report."""
