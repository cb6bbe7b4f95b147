"""`lr serve`: one policy for many robots."""

__version__ = "0.1.0"
