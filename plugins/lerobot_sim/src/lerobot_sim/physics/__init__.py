"""The scene: an SO-100 of simple shapes, a table, a cube and a bin, in MuJoCo."""
