"""Linear layers give the same numbers on either library; kept values follow their parameters."""

from __future__ import annotations

import platform
import sys

import pytest
import torch
from lerobot_torch import kernels
from lerobot_torch.kernels import Linear, linear, linear_relu, relu_dropout
from lerobot_torch.memo import Memo
from lerobot_torch.memory import keep_freed_memory
from torch.nn import functional


@pytest.fixture(params=[True, False], ids=["onednn", "usual"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param and kernels._operator("_linear_pointwise") is None:
        pytest.skip("this torch has no such operator")
    monkeypatch.setattr(kernels, "onednn_is_faster", lambda: request.param)
    return bool(request.param)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 7, 5), (0, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_products_and_gradients_are_the_usual_ones(library: bool, shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = Linear(5, 4, bias=bias)
    x = torch.randn(*shape, requires_grad=True)
    usual = functional.linear(x, layer.weight, layer.bias)
    found = layer(x)
    torch.testing.assert_close(found, usual, rtol=1e-5, atol=1e-6)
    wanted = torch.autograd.grad(usual.square().sum(), [x, *layer.parameters()])
    gradients = torch.autograd.grad(found.square().sum(), [x, *layer.parameters()])
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_other_precisions_take_the_usual_way(library: bool) -> None:
    x, weight = torch.randn(3, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    assert linear(x, weight, None).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x.float(), weight.float(), None).dtype == torch.bfloat16


def test_the_choice_is_made_once() -> None:
    kernels.onednn_is_faster.cache_clear()
    assert kernels.onednn_is_faster() == kernels.onednn_is_faster()
    assert kernels.onednn_is_faster.cache_info().misses == 1


def test_a_kept_value_follows_its_parameter() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    memo: Memo[torch.Tensor] = Memo()
    computed = []

    def double() -> torch.Tensor:
        computed.append(1)
        return weight * 2

    with torch.inference_mode():
        first = memo(double, [weight])
        assert memo(double, [weight]) is first
    with torch.no_grad():
        weight.add_(1)
        assert memo(double, [weight]).tolist() == [4, 4]
    weight.data = torch.zeros(2)
    with torch.inference_mode():
        assert memo(double, [weight]).tolist() == [0, 0]
    assert len(computed) == 3
    assert memo(double, [weight]).requires_grad


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_relu_and_dropout_in_one(rate: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(401, 503, requires_grad=True)
    out = relu_dropout(x, rate)
    positive = x.detach() > 0
    kept = (out.detach() > 0) & positive
    assert not out[~positive].any()
    assert kept.sum() / positive.sum() == pytest.approx(1 - rate, abs=0.01)
    torch.testing.assert_close(out[kept], x[kept] / (1 - rate), rtol=1e-4, atol=0)
    gradient = torch.randn_like(x)
    out.backward(gradient)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, gradient * kept / (1 - rate), rtol=1e-4, atol=0)


def test_relu_without_dropout() -> None:
    x = torch.randn(3, 5)
    assert torch.equal(relu_dropout(x, 0.0), x.relu())


def test_freed_memory_is_kept_where_the_allocator_can_be_told() -> None:
    assert keep_freed_memory() in (True, False)
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        assert keep_freed_memory()


def test_linear_and_relu_in_one(library: bool) -> None:
    x, weight, bias = torch.randn(2, 7, 5), torch.randn(4, 5), torch.randn(4)
    with torch.inference_mode():
        found = linear_relu(x, weight, bias)
        torch.testing.assert_close(found, functional.linear(x, weight, bias).relu(), rtol=1e-5, atol=1e-6)
