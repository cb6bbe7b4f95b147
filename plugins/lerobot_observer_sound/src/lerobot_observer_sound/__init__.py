"""Observer `sound`: says aloud what happens."""
