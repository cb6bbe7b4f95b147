"""`lr train` and `lr eval`."""
