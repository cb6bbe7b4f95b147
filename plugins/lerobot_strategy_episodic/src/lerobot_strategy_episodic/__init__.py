"""Rollout strategy `episodic`: episodes driven by a policy, with resets between them."""
