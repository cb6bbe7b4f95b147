"""One run, from names to summary."""
