"""What lies on the table, and where: read by the model, the rules of an attempt and the expert. Metres."""

from __future__ import annotations

CUBE = 0.028
"""Its edge."""
CUBE_MASS = 0.02
AREA_CENTER = (0.22, 0.0)
AREA_HALF = 0.10
"""The cube starts anywhere in this square of 20 x 20 cm, turned by at most 45 degrees."""
MAX_YAW_DEG = 45.0

BIN_CENTER = (0.10, 0.235)
BIN_HALF = 0.055
"""From its centre to the inside of a wall."""
BIN_WALL = 0.004
BIN_HEIGHT = 0.05
ATTEMPT_S = 20.0
"""An attempt that has not succeeded by then has failed."""
REST_S = 0.5
"""How long the cube must lie in the bin, let go and at rest."""
REST_SPEED = 0.02
"""m/s below which it counts as at rest; its spin must be under five times that, in rad/s."""
