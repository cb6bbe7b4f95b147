"""Rollout strategy `highlight`: the last seconds are always at hand, a key keeps them."""
