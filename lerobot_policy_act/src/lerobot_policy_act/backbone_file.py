"""A backbone's weights from a file of its own."""

from __future__ import annotations

from pathlib import Path

from lerobot_core.errors import ConfigError
from lerobot_torch.weights import check_fit, read_weights

from .resnet import ResNet

# A classifier's last layer, and counters that a frozen normalisation has not.
_LEFT_OUT = ("fc.", "num_batches_tracked")


def read_backbone(backbone: ResNet, file: str) -> None:
    """Fill a backbone from a safetensors file with torchvision's names.

    Raises:
        ConfigError: it is another kind of file.
        ContractError: its tensors are those of another network.
    """
    path = Path(file).expanduser()
    if path.suffix != ".safetensors":
        raise ConfigError(
            f"{path} is no safetensors file",
            "other formats can hold code",
            "convert it with safetensors.torch.save_file",
        )
    tensors = {
        name: tensor
        for name, tensor in read_weights(path).items()
        if not name.startswith(_LEFT_OUT[0]) and not name.endswith(_LEFT_OUT[1])
    }
    check_fit(backbone.state_dict(), tensors, str(path))
    backbone.load_state_dict(tensors)
