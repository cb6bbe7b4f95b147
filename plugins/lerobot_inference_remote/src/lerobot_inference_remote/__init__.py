"""Inference engine `remote`, and the wire it shares with `lr serve`."""
