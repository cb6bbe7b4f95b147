"""Adapters (LoRA, arXiv 2106.09685): small matrices beside the frozen layers of a checkpoint.

The library peft makes, merges and names them, so its files are those of everybody else; it comes with
`lerobot-torch[adapters]`. To run, an adapter is merged into its base: it costs nothing and no other code has to know. To
train further it stays apart. What goes wrong: peft is not there, the base cannot be found or is of another family, tensors
do not fit, no layer has the wanted name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.errors import ConfigError, ContractError, PluginError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .jsonfile import read_json
from .weights import check_fit

if TYPE_CHECKING:
    from .policy import TorchPolicy

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_NAME = "default"
_PLAIN = (True, False, "gaussian")
_WRAPPED = "base_model.model."
"""peft's own wrapper, which its files have in every name."""


def base_of(folder: Path) -> str:
    """The checkpoint that an adapter's folder names as its base.

    Raises:
        ContractError: it names none.
    """
    base = read_json(folder / SETTINGS).get("base_model_name_or_path")
    if not base:
        raise ContractError(f"{folder / SETTINGS} does not name the checkpoint it belongs to", "base_model_name_or_path",
                            "write its folder or org/name there")  # fmt: skip
    return str(base)


def begin(
    policy: TorchPolicy[Any],
    base: str,
    rank: int,
    alpha: int | None = None,
    layers: str | Sequence[str] | None = None,
    whole: Sequence[str] = (),
) -> None:
    """Freeze a policy and put a new adapter beside some of its layers, which changes nothing yet.

    Args:
        policy: whole, from a checkpoint.
        base: that checkpoint's folder or `org/name`.
        rank: of the matrices; `alpha` scales what they add by alpha / rank, default 8 / rank.
        layers: their names' ends, or a regular expression of the whole name; default: the family's own choice.
        whole: layers that are trained as they are.

    Raises:
        PluginError: peft is not installed.
        ConfigError: no layer is called so.
    """
    peft = _peft()
    wanted = layers or policy.adapted_layers
    if not wanted:
        raise ConfigError(f"which layers of {policy.family} are adapted?", "the family has no choice of its own",
                          "--peft.target-modules all-linear, or names: " + ", ".join(_linear(policy)[:6]))  # fmt: skip
    alphas = {} if alpha is None else {"lora_alpha": alpha}
    config = peft.LoraConfig(
        r=rank, target_modules=wanted, modules_to_save=list(whole) or None, base_model_name_or_path=base, **alphas
    )
    try:
        _inject(policy, config)
    except ValueError as error:
        raise ConfigError(f"no layer of {policy.family} is called {wanted}", str(error).splitlines()[0],
                          "names: " + ", ".join(_linear(policy)[:6]))  from error  # fmt: skip


def attach(policy: TorchPolicy[Any], folder: Path) -> None:
    """Put the adapter of a folder beside its base's layers, to be trained further or merged.

    Raises:
        PluginError: peft is not installed.
        ContractError: its tensors are not this network's.
    """
    peft = _peft()
    said = read_json(folder / SETTINGS)
    if said.get("peft_type") != "LORA" or said.get("init_lora_weights", True) not in _PLAIN:
        # Some methods begin by changing the base, or by reading a file that only pickle understands.
        raise ContractError(f"{folder} is an adapter of a kind that is not supported",
                            f"{said.get('peft_type')}, init_lora_weights {said.get('init_lora_weights')!r}",
                            "convert it to plain LoRA with peft, or merge it there")  # fmt: skip
    config = peft.PeftConfig.from_pretrained(str(folder))
    config.inference_mode = False
    try:
        _inject(policy, config)
    except ValueError as error:
        raise ContractError(f"{folder} is not an adapter of this network", str(error).splitlines()[0]) from error
    found = {name.removeprefix(_WRAPPED): value for name, value in load_file(folder / WEIGHTS).items()}
    check_fit(_tensors(policy), found, str(folder / WEIGHTS))
    peft.set_peft_model_state_dict(policy, found, adapter_name=_NAME)


def attach_merged(policy: TorchPolicy[Any], folder: Path) -> None:
    """Add the adapter of a folder to its base for good; what could be trained before can be afterwards."""
    trained = {name for name, each in policy.named_parameters() if each.requires_grad}
    attach(policy, folder)
    merge(policy)
    for name, each in policy.named_parameters():
        each.requires_grad_(name in trained)


def merge(policy: TorchPolicy[Any]) -> None:
    """Add what the adapter adds to the layers themselves; the policy is whole afterwards.

    Raises:
        ValueError: a merged weight is no number.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    for name, module in list(policy.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge(safe_merge=True)
            _put(policy, name, module.get_base_layer())
        elif isinstance(module, AuxiliaryTrainingWrapper):
            _put(policy, name, module.modules_to_save[_NAME])
    policy.adapter = None


def write(policy: TorchPolicy[Any], folder: Path) -> None:
    """The adapter's two files; the base's weights are not written again."""
    assert policy.adapter is not None, "asked for"
    tensors = {f"{_WRAPPED}{name}": value.detach().cpu().contiguous() for name, value in _tensors(policy).items()}
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    policy.adapter.inference_mode = True  # as peft's own files say
    policy.adapter.save_pretrained(str(folder))
    policy.adapter.inference_mode = False


def refuse_unused(policy: TorchPolicy[Any]) -> None:
    """After a backward pass: every matrix of the adapter took part.

    A network may compute with a layer's weights and not with the layer; an adapter beside it would never learn.

    Raises:
        ConfigError: naming the layers.
    """
    unused = [name for name, each in policy.named_parameters() if each.requires_grad and each.grad is None]
    if unused:
        layers = sorted({name.split(".lora_")[0].split(".modules_to_save")[0] for name in unused})
        raise ConfigError(f"an adapter beside {', '.join(layers[:4])} learns nothing", f"{policy.family} uses the weights "
                          "there and not the layer", "name others with --peft.target-modules")  # fmt: skip


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise PluginError(
            "adapters need the library peft", str(error), "pip install 'lerobot-torch[adapters]'"
        ) from error
    return peft


def _inject(policy: TorchPolicy[Any], config: Any) -> None:
    from peft import inject_adapter_in_model

    policy.requires_grad_(False)
    inject_adapter_in_model(config, policy, _NAME)
    for parameter in policy.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # in half precision its small steps would be lost
    policy.adapter = config


def _tensors(policy: TorchPolicy[Any]) -> Mapping[str, Tensor]:
    from peft import get_peft_model_state_dict

    found: Mapping[str, Tensor] = get_peft_model_state_dict(policy, adapter_name=_NAME, save_embedding_layers=False)
    return found


def _put(policy: TorchPolicy[Any], name: str, module: nn.Module) -> None:
    owner, _, leaf = name.rpartition(".")
    setattr(policy.get_submodule(owner), leaf, module)


def _linear(policy: TorchPolicy[Any]) -> list[str]:
    return [name for name, module in policy.named_modules() if isinstance(module, nn.Linear)]
