"""The world's own process: physics, servos and what the run asks of them."""
