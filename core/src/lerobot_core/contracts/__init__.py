"""The contract of every kind, one file each; `Protocol`s, so a plugin needs no base class."""
