"""Cameras drawn in software: MuJoCo's abstract scene as shaded polygons, in painter's order, with no GL anywhere."""
