"""What the system knows of devices without opening them."""
