"""Linear layers on whichever CPU library multiplies faster here, and convolutions whose kernels are laid out once.

On AMD processors the library behind `F.linear` (MKL) reaches half of what oneDNN does with the same matrices (measured on
a Zen 5: 200 against 430 GFLOPS in float32), and linear layers are most of a transformer. On Intel there may be no gap, so
the choice is measured once a process, in a few milliseconds. Convolutions run on oneDNN anyway, which lays a kernel out
anew at every call unless it is given one that is laid out already: a sixth of a ResNet's time.

The operators are those of compiled graphs and private to torch; where they are missing, the public ones are used.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_ROWS, _IN, _OUT = 160, 512, 1536
_TRIES = 12
_WORTH = 0.9
"""oneDNN must need less than this share of the time, so that noise does not choose."""


class Linear(nn.Linear):
    """`nn.Linear` with the same parameters, computed by `linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return linear(input, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x @ weight.T + bias; (..., in), (out, in), (out,) -> (..., out). Differentiable."""
    if not _suits(x, weight) or not onednn_is_faster():
        return functional.linear(x, weight, bias)
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return _OneDNN.apply(x, weight, bias)  # type: ignore[no-any-return, no-untyped-call]
    return _product(x, weight, bias)


def linear_relu(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """relu(linear(x, weight, bias)), in one pass where nothing learns."""
    if torch.is_grad_enabled() or not _suits(x, weight) or not onednn_is_faster():
        return functional.relu(linear(x, weight, bias))
    return _product(x, weight, bias, "relu")


def _suits(x: Tensor, weight: Tensor) -> bool:
    """Some float32 on the CPU, outside autocast and outside torch.compile, which chooses kernels itself."""
    plain = x.dtype == weight.dtype == torch.float32 and x.device.type == "cpu" and x.numel() > 0
    return plain and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()


@functools.cache
def onednn_is_faster() -> bool:
    """Whether oneDNN multiplies a typical pair of matrices faster; measured once."""
    if _operator("_linear_pointwise") is None:
        return False
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(_ROWS, _IN, generator=generator)
    weight, bias = torch.rand(_OUT, _IN, generator=generator), torch.rand(_OUT, generator=generator)
    with torch.no_grad():
        # Taken in turns, and the fastest of each: what else runs on the machine slows both down alike.
        pairs = [_pair(x, weight, bias) for _ in range(_TRIES)]
    return min(ours for ours, _ in pairs) < _WORTH * min(usual for _, usual in pairs)


def _pair(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[float, float]:
    return _seconds(lambda: _product(x, weight, bias)), _seconds(lambda: functional.linear(x, weight, bias))


def _seconds(work: Callable[[], Tensor]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@functools.cache
def _operator(name: str) -> Any:
    usable = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return getattr(torch.ops.mkldnn, name, None) if usable else None


def _product(x: Tensor, weight: Tensor, bias: Tensor | None, then: str = "none") -> Tensor:
    return _operator("_linear_pointwise")(x, weight, bias, then, [], "")  # type: ignore[no-any-return]


class _OneDNN(torch.autograd.Function):
    """The product and both its gradients by oneDNN."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0]
        rows, columns = gradient.reshape(-1, gradient.shape[-1]), x.reshape(-1, x.shape[-1])
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        by_x = _product(gradient, weight.t(), None) if needs_x else None
        by_weight = _product(rows.t(), columns.t(), None) if needs_weight else None
        return by_x, by_weight, rows.sum(0) if needs_bias and ctx.has_bias else None


def relu_dropout(x: Tensor, rate: float) -> Tensor:
    """dropout(relu(x)) while training; on the CPU it keeps one tensor for the way back instead of three.

    There its random numbers come four to a draw, which takes a fifth of the time; `rate` is met to 1/65536.
    """
    if x.device.type != "cpu" or not 0.0 < rate < 1.0 or torch.compiler.is_compiling():
        return functional.dropout(functional.relu(x), rate)
    return _ReluDropout.apply(x, rate)  # type: ignore[no-any-return, no-untyped-call]


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        levels = round((1.0 - rate) * 65536)
        bits = torch.empty(x.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        kept = bits[: x.numel()].view(x.shape) < levels - 32768
        ctx.scale = 65536 / levels
        out = x.relu().mul_(ctx.scale).mul_(kept)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (out,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradients[0], out, 0).mul_(ctx.scale), None


class Window(NamedTuple):
    """How a convolution moves."""

    stride: int
    padding: int
    dilation: int

    def lists(self) -> tuple[list[int], list[int], list[int]]:
        """Padding, stride and dilation for two axes, in the operators' order."""
        return [self.padding] * 2, [self.stride] * 2, [self.dilation] * 2


def packable(x: Tensor, kernel: Tensor) -> bool:
    """Whether `packed` has anything to offer for pictures `x` (B, C, H, W)."""
    suits = _suits(x, kernel) and not torch.is_grad_enabled()
    return suits and _operator("_reorder_convolution_weight") is not None


def packed(kernel: Tensor, window: Window, shape: Sequence[int]) -> Tensor:
    """A kernel (out, in, h, w) laid out for pictures of `shape`; only `convolve` takes it."""
    padding, stride, dilation = window.lists()
    reorder = _operator("_reorder_convolution_weight")
    return reorder(kernel, padding, stride, dilation, 1, list(shape))  # type: ignore[no-any-return]


def convolve(x: Tensor, kernel: Tensor, bias: Tensor, window: Window) -> Tensor:
    """A convolution (B, in, H, W) -> (B, out, H', W') with a kernel that may be `packed`."""
    padding, stride, dilation = window.lists()
    if not kernel.is_mkldnn:
        return functional.conv2d(x, kernel, bias, stride, padding, dilation)
    operator = _operator("_convolution_pointwise")
    return operator(x, kernel, bias, padding, stride, dilation, 1, "none", [], "")  # type: ignore[no-any-return]
