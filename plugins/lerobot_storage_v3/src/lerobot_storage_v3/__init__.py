"""LeRobotDataset v3.0: a recorder that survives a crash, and a fast reader."""
