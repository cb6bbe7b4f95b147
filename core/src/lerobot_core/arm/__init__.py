"""Arms on a servo bus: motors and settings are declared, everything else is here, in plain Python."""
