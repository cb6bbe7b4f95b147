"""Environment `aloha`."""
