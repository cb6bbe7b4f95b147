"""A virtual rig: an SO-100 in MuJoCo behind servos, cameras and a person that are hard to tell from real ones."""
