"""Rollout strategy `sentry`: run for hours, record everything."""
