"""Inference engine `rtc`: real-time chunking."""
