"""The `lr` command: verbs by name, each imported when it is typed."""
