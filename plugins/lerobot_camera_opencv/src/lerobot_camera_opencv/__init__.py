"""Cameras over OpenCV."""
