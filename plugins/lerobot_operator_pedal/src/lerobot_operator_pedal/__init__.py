"""Operator `pedal`: foot switches and other buttons."""
