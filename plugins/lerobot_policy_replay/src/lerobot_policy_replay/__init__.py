"""Policy `replay`: recorded actions as chunks."""
