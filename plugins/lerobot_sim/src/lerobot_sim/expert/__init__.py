"""A scripted person at the leader arm, who sees where the cube really is."""
