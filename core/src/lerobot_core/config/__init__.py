"""Configuration: declared once as dataclasses, decoded in one place, every value knowing where it came from."""
