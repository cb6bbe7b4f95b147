"""ResNet-18, -34 and -50, and one for small pictures, without their classifier (arXiv 1512.03385), batch normalisation frozen and folded away.

Tensors are named as in torchvision, so that its weights and LeRobot's checkpoints fit.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from lerobot_torch.kernels import Window, convolve, packable, packed
from lerobot_torch.memo import Memo
from torch import Tensor, nn
from torch.nn import functional

_EPS = 1e-5
_BLOCKS = {
    "resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3), "resnet10_narrow": (1, 1, 1, 1),
}  # fmt: skip
_WIDTHS = (64, 128, 256, 512)
_NARROW = 2
"""resnet10_narrow has channels by this factor fewer, a quarter of the arithmetic."""
_DAMPED = 0.5
"""What a block of it adds to its shortcut at first: nothing else keeps activations small when training from nothing."""


def width_of(name: str) -> int:
    """Channels of the features `name` gives."""
    return widths_of(name)[-1] * (4 if name == "resnet50" else 1)


def widths_of(name: str) -> tuple[int, ...]:
    """Channels of each stage, before a bottleneck's expansion."""
    return tuple(width // _NARROW for width in _WIDTHS) if name.endswith("_narrow") else _WIDTHS


class FrozenNorm(nn.Module):
    """Batch normalisation whose statistics and gains never change: buffers (C,)."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def folded(self, kernel: Tensor) -> tuple[Tensor, Tensor]:
        """A convolution's kernel (C, in, h, w) and the bias (C,) that do the convolution and this in one."""
        gain = self.weight * torch.rsqrt(self.running_var + _EPS)
        return kernel * gain[:, None, None, None], self.bias - self.running_mean * gain


class Convolution(nn.Conv2d):
    """A convolution that is followed by a `FrozenNorm`; while nothing learns, the folded kernel is kept."""

    def __init__(self, inside: int, outside: int, size: int, stride: int = 1, dilation: int = 1) -> None:
        self.window = Window(stride, dilation * (size // 2), dilation)
        super().__init__(inside, outside, size, *self.window, bias=False)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        self._memo: Memo[tuple[Tensor, Tensor]] = Memo()

    def normed(self, x: Tensor, norm: FrozenNorm) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        pack = packable(x, self.weight)

        def prepared() -> tuple[Tensor, Tensor]:
            kernel, bias = norm.folded(self.weight)
            return packed(kernel, self.window, x.shape) if pack else kernel, bias

        sources = (self.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var)
        kernel, bias = self._memo(prepared, sources, (pack, x.shape))
        return convolve(x, kernel, bias, self.window)


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    expansion = 1

    def __init__(self, inside: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = Convolution(inside, width, 3, stride, dilation)
        self.bn1 = FrozenNorm(width)
        self.conv2 = Convolution(width, width, 3)
        self.bn2 = FrozenNorm(width)
        self.downsample = _shortcut(inside, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, width, H / stride, W / stride)."""
        inner = self.conv1.normed(x, self.bn1).relu_()
        return self.conv2.normed(inner, self.bn2).add_(_short(x, self.downsample)).relu_()


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut; the 3x3 one has the stride."""

    expansion = 4

    def __init__(self, inside: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = Convolution(inside, width, 1)
        self.bn1 = FrozenNorm(width)
        self.conv2 = Convolution(width, width, 3, stride, dilation)
        self.bn2 = FrozenNorm(width)
        self.conv3 = Convolution(width, 4 * width, 1)
        self.bn3 = FrozenNorm(4 * width)
        self.downsample = _shortcut(inside, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, 4 width, H / stride, W / stride)."""
        inner = self.conv1.normed(x, self.bn1).relu_()
        inner = self.conv2.normed(inner, self.bn2).relu_()
        return self.conv3.normed(inner, self.bn3).add_(_short(x, self.downsample)).relu_()


def _shortcut(inside: int, outside: int, stride: int) -> nn.Sequential | None:
    if inside == outside and stride == 1:
        return None
    return nn.Sequential(Convolution(inside, outside, 1, stride), FrozenNorm(outside))


def _short(x: Tensor, downsample: nn.Sequential | None) -> Tensor:
    if downsample is None:
        return x
    convolution, norm = downsample
    assert isinstance(convolution, Convolution)
    assert isinstance(norm, FrozenNorm)
    return convolution.normed(x, norm)


class ResNet(nn.Module):
    """Images to the features of the last layer, 32 times smaller (16 times with `dilated`).

    Args:
        name: `resnet18`, `resnet34`, `resnet50`, or `resnet10_narrow`, which is meant to be trained from nothing.
        dilated: the last stage widens its kernels instead of striding.
    """

    def __init__(self, name: str, dilated: bool = False) -> None:
        super().__init__()
        block = Bottleneck if name == "resnet50" else Block
        widths = widths_of(name)
        inside = widths[0]
        self.conv1 = Convolution(3, inside, 7, stride=2)
        self.bn1 = FrozenNorm(inside)
        for stage, (count, width) in enumerate(zip(_BLOCKS[name], widths, strict=True)):
            last = dilated and stage == 3
            stride = 1 if stage == 0 or last else 2
            layers = list(_stage(block, inside, width, count, stride, 2 if last else 1))
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
            inside = width * block.expansion
        if name.endswith("_narrow"):
            for each in self.modules():
                if isinstance(each, Block):
                    each.bn2.weight.fill_(_DAMPED)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, C, H / 32, W / 32), channels last in memory."""
        x = images.contiguous(memory_format=torch.channels_last)
        x = self.conv1.normed(x, self.bn1).relu_()
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return x


def _stage(
    block: type[Block] | type[Bottleneck], inside: int, width: int, count: int, stride: int, dilation: int
) -> Iterator[nn.Module]:
    # The first block of a dilated stage keeps its kernels: it still sees the grid of the stage before.
    yield block(inside, width, stride)
    for _ in range(count - 1):
        yield block(width * block.expansion, width, dilation=dilation)
