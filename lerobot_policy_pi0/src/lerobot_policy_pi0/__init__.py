"""Policy pi0."""
