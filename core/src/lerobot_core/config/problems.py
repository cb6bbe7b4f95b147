"""Everything that is wrong with a configuration, gathered before the first line is printed."""

from __future__ import annotations

from ..errors import ConfigError, PluginError, UsageError, UserError


class Problems:
    """Collects errors; `raise_any` raises the only one, or one that lists them all."""

    def __init__(self) -> None:
        self.found: list[UserError] = []

    def add(self, error: UserError) -> None:
        """Keep it; the same text twice counts once (one broken plugin in two sections)."""
        if str(error) not in {str(each) for each in self.found}:
            self.found.append(error)

    def usage(self, what: str, why: str = "", fix: str = "") -> None:
        """The command line says something that is not declared."""
        self.add(UsageError(what, why, fix))

    def config(self, what: str, why: str = "", fix: str = "") -> None:
        """A value is wrong."""
        self.add(ConfigError(what, why, fix))

    def raise_any(self) -> None:
        """Raise when anything was found.

        Raises:
            UsageError: when any of several is one; else ConfigError, else PluginError.
        """
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            lines = [_line(each) for each in self.found]
            raise self._worst()(f"{len(lines)} things are wrong:", "\n  ".join(lines))

    def _worst(self) -> type[UserError]:
        ranked = (UsageError, ConfigError, PluginError, UserError)
        return next(kind for kind in ranked if any(isinstance(each, kind) for each in self.found))


def _line(error: UserError) -> str:
    rest = "; ".join(part for part in (error.why, error.fix) if part)
    return f"{error.what}{': ' if rest else ''}{rest}"
