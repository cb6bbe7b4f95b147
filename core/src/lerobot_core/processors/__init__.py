"""Core's robot-side processors."""
