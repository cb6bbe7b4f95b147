"""Built-in strategies: base, teleoperate, record, replay, eval."""
