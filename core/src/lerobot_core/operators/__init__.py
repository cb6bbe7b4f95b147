"""Built-in operators: terminal keys and a script."""
