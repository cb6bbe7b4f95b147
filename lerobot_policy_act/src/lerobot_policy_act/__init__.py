"""Policy `act`: action chunking with transformers (arXiv 2304.13705)."""
