"""Dynamixel servo buses."""
