"""Rollout strategy `dagger`: a person takes over from the policy, and what they do becomes data."""
