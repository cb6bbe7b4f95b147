"""Edits of whole datasets: a new one is made beside the old one, and takes its place when it is complete."""
