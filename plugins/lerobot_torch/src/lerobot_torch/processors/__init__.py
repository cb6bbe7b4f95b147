"""Steps between what a robot or a dataset gives and what a network takes, and back."""
