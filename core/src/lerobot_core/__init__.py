"""The thin core: contracts, registry, configuration, the `lr` command and the control loop. Importing it is free."""

__version__ = "0.1.0"
