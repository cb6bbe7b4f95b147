"""A checkpoint's tensors: read, made to fit by name or refused with the list, and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from lerobot_core.errors import ConfigError, ContractError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

FILE = "model.safetensors"
_SHOWN = 8


def read_weights(path: Path, device: torch.device | None = None) -> dict[str, Tensor]:
    """Tensors by name; tied ones appear under each of their names.

    The file is mapped into memory and nothing of it copied there: on the CPU tensors are views of it, on another device
    they go there one by one.

    Args:
        path: the file.
        device: where the tensors go; default the CPU.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise ConfigError(f"there is no {path}", "a checkpoint has its tensors in it", "name a checkpoint's folder")
    try:
        with safe_open(path, "pt", device=str(device or "cpu")) as file:
            tied = file.metadata() or {}
            found = {_plain(name): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path} cannot be read", str(error), "copy the checkpoint again") from error
    return found | {_plain(name): found[_plain(kept)] for name, kept in tied.items() if _plain(kept) in found}


def _plain(name: str) -> str:
    # A network saved while compiled has this segment in its names.
    return name.replace("_orig_mod.", "")


def write_weights(module: nn.Module, path: Path) -> None:
    """Every tensor, contiguous; of tied ones the first by name, the header says which others they are."""
    tensors = module.state_dict()
    first: dict[tuple[int, torch.Size], str] = {}
    header = {"format": "pt"}
    for name in sorted(tensors):
        address = tensors[name].data_ptr() or id(tensors[name])  # what is empty has none
        kept = first.setdefault((address, tensors[name].shape), name)
        if kept != name:
            header[name] = kept
    save_file({name: tensors[name].detach().cpu().contiguous() for name in first.values()}, path, header)


def fill(module: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Give a module that was made on the device `meta` its tensors, in the precision it declares.

    Raises:
        ContractError: a tensor is missing, unknown or of another shape: all of them, by name.
    """
    wanted = module.state_dict()
    check_fit(wanted, tensors, where)
    tied = _tied(module)
    fitting = {name: tensors[name].to(wanted[name].dtype) for name in wanted}
    module.load_state_dict(fitting, assign=True)
    for first, *others in tied:
        for name in others:  # one parameter came back as two, which on the way to a device would become two tensors
            owner, _, leaf = name.rpartition(".")
            if torch.equal(fitting[name], fitting[first]):  # a checkpoint may have trained one of them only
                setattr(module.get_submodule(owner), leaf, module.get_parameter(first))


def _tied(module: nn.Module) -> list[list[str]]:
    """The names of each parameter that has several."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [each for each in names.values() if len(each) > 1]


def check_fit(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], where: str) -> None:
    """Refuse tensors that are not exactly the wanted ones.

    Raises:
        ContractError: listing every difference by name.
    """
    missing = [name for name in wanted if name not in tensors]
    unknown = [name for name in tensors if name not in wanted]
    shapes = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in wanted
        if name in tensors and tensors[name].shape != wanted[name].shape
    ]
    lines = [
        f"{word}: {_listed(names)}"
        for word, names in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if names
    ]
    if lines:
        raise ContractError(
            f"the tensors of {where} are not those of this network",
            "\n  ".join(lines),
            "its config.json belongs to another network",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
