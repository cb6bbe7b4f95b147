"""A trained policy for the virtual rig, as a package."""
