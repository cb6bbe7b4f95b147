"""Emulated servos: control tables that behave, and the protocols that reach them through a pseudo-terminal."""
