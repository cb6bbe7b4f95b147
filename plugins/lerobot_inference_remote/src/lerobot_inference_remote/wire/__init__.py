"""What travels: keys, a fixed header beside each message, MessagePack bodies, pictures. Nothing in it can carry code."""
