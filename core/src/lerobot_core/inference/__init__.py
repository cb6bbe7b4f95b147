"""Core's inference engines, `sync` and `chunked`, and the worker that others are built on."""
