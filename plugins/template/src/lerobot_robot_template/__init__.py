"""The robot `template` for lerobot-core: an emulated arm."""
