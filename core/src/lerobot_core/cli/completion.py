"""`lr completion`: verbs, options and plugin names in the shell, from tables and metadata; no plugin is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import UsageError, did_you_mean
from ..kinds import KINDS
from ..registry import Registry, default_registry
from . import verbs

USAGE = """usage: lr completion bash|zsh|fish

  print what makes a shell complete verbs, options and the names of plugins

bash  add to ~/.bashrc:                    eval "$(lr completion bash)"
zsh   add to ~/.zshrc, after compinit:     eval "$(lr completion zsh)"
fish  add to ~/.config/fish/config.fish:   lr completion fish | source"""

SCRIPTS = {
    "bash": """_lr() {
    local IFS=$'\\n'
    COMPREPLY=($(lr _complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _lr lr""",
    "zsh": """_lr() {
    local -a found
    found=("${(@f)$(lr _complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then compadd -Q -a found; else _files; fi
}
compdef _lr lr""",
    "fish": "complete -c lr -a '(lr _complete (commandline -opc)[2..-1] (commandline -ct | string collect -a) 2>/dev/null)'",
}


def run(verb: str, argv: Sequence[str]) -> int:
    """Print the script for one shell."""
    if len(argv) != 1 or argv[0] not in SCRIPTS:
        shells = list(SCRIPTS)
        fix = did_you_mean("".join(argv[:1]), shells) or f"lr {verb} bash"
        raise UsageError(f"lr {verb} wants one of {', '.join(shells)}", "", fix)
    print(SCRIPTS[argv[0]])
    return 0


def complete(verb: str, argv: Sequence[str]) -> int:
    """Print what the last word of `argv` may become, a line each; silent where only a file name could follow."""
    print("\n".join(candidates(argv, default_registry())))
    return 0


def candidates(words: Sequence[str], registry: Registry) -> list[str]:
    """What the last of the words after `lr` may become, sorted.

    `--robot=so` arrives as one word from zsh and fish, as `--robot`, `=`, `so` from bash, which breaks words at `=`.
    """
    *before, word = words or [""]
    if word == "=":
        word = ""
    elif before[-1:] == ["="]:
        before.pop()
    given, equals, value = word.partition("=")
    if equals and given.startswith("--"):
        found = (f"{given}={each}" for each in _after([*before, given], value, registry))
    else:
        found = (each for each in _after(before, word, registry))
    return sorted({each for each in found if each.startswith(word)})


def _after(before: Sequence[str], word: str, registry: Registry) -> Iterable[str]:
    if not before:
        return [row.name for row in verbs.installed(registry)]
    verb, *rest = before
    if verb == "plugins":
        return _plugins(rest, registry)
    if verb == "completion":
        return SCRIPTS if not rest else []
    return _options(verb, rest, word, registry)


def _plugins(rest: Sequence[str], registry: Registry) -> Iterable[str]:
    if not rest:
        return ("list", "show", "check", "new")
    if len(rest) == 1:
        return KINDS
    names = {entry.name for entry in registry.entries() if entry.kind == rest[1]}
    return names if len(rest) == 2 and rest[0] in ("show", "check") else []


def _options(verb: str, rest: Sequence[str], word: str, registry: Registry) -> Iterable[str]:
    """Options of a verb of core, or the values that the option before may take."""
    from ..config.run import VERBS

    if verb not in VERBS:
        return []
    table = VERBS[verb].table()
    option = rest[-1] if rest and rest[-1].startswith("--") else ""
    if not option or word.startswith("-"):
        names = (
            f"--{name.replace('_', '-')}" + ("." if each.shape == "plugins" else "") for name, each in table.items()
        )
        return [*names, "--help"] if word.startswith("-") else []
    section, *path = option[2:].replace("-", "_").split(".")
    each = table.get(section)
    if each is None:
        return []
    # `--robot X`, `--robot.type X`, `--camera.front X`, `--camera.front.type X`
    if each.option.plugin and path[each.shape == "plugins" :] in ([], ["type"]):
        return [entry.name for entry in registry.entries(each.option.plugin)]
    return each.option.choices if not path else []
