"""Observer `rerun`: a run in the Rerun viewer."""
