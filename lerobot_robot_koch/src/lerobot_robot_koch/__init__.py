"""Koch v1.1."""
