"""`lr eval`: how often a policy succeeds, in an environment or on a robot."""
