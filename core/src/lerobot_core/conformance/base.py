"""What holds for every plugin: it is installed, light, well described, configurable, and can be built."""

from __future__ import annotations

import dataclasses
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

from ..clock import Clock, RealClock
from ..errors import UserError
from ..kinds import KINDS
from ..specs import Parts, Spec

HEAVY = (
    "torch", "torchvision", "numpy", "scipy", "pandas", "cv2", "PIL", "av", "pyarrow", "datasets", "mujoco", "gymnasium",
    "serial", "scservo_sdk", "dynamixel_sdk", "transformers", "safetensors", "huggingface_hub", "accelerate", "zenoh",
    "rerun", "matplotlib", "jax", "tensorflow", "onnxruntime",
)  # fmt: skip
"""What neither a plugin module nor its config module may import: each costs 50 ms to 5 s and up to 1 GB."""

_LISTEN = """
import json, sys
from lerobot_core.registry import default_registry
default_registry().spec(sys.argv[1], sys.argv[2])
print(json.dumps(sorted(name for name in sys.argv[3:] if name in sys.modules)))
"""


class PluginConformance:
    """Base of every kit.

    Attributes:
        kind: set by the kit of the kind.
        name: the entry point's name; set it in the subclass.
        lenient: what cannot be built or opened here is skipped and does not fail. `lr plugins check` sets it: it has no
            options to give, and perhaps no device.
    """

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    lenient: ClassVar[bool] = False

    # --- what a subclass may override ----------------------------------------------------------------------------

    def options(self) -> dict[str, Any]:
        """Options to build it with, as a configuration file would hold them; needed when some have no default."""
        return {}

    def broken_options(self) -> dict[str, Any] | None:
        """Options with which opening the device must fail (a port that is not there); None when there are none."""
        return None

    def parts(self) -> Parts:
        """What core hands to `build`."""
        return Parts(clock=self.clock)

    def new_clock(self) -> Clock:
        """The clock of one test."""
        return RealClock()

    def spec(self) -> Spec:
        """What the plugin says about itself."""
        from ..registry import default_registry

        return default_registry().spec(self.kind, self.name)

    def close(self, subject: Any) -> None:
        """Called with everything that `make` built, after each test."""

    # --- for the kits --------------------------------------------------------------------------------------------

    @cached_property
    def clock(self) -> Clock:
        """The test's clock."""
        return self.new_clock()

    def config(self, **more: Any) -> Any:
        """An instance of the plugin's config dataclass, from `options()` and `more`."""
        with self._leniently("configured"):
            return self._decode({**self.options(), **more})

    def _decode(self, options: Mapping[str, Any]) -> Any:
        from ..config.decode import decode
        from ..config.origin import Origin
        from ..registry import default_registry

        return decode(self.spec().config, options, Origin("config", type(self).__name__), default_registry())

    def make(self, **more: Any) -> Any:
        """Build the plugin with `options()` and `more`; closed after the test."""
        config = self.config(**more)
        with self._leniently("built"):
            built = self.spec().build(config, self.parts())
        self._made.append(built)
        return built

    @contextmanager
    def _leniently(self, done: str) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            if not self.lenient:
                raise
            not_exercised(f"it cannot be {done} here: {' '.join(str(error).split())}")

    @cached_property
    def _made(self) -> list[Any]:
        return []

    @pytest.fixture(autouse=True)
    def _close_what_was_made(self) -> Iterator[None]:
        yield
        for built in reversed(self._made):
            self.close(built)

    # --- laws ----------------------------------------------------------------------------------------------------

    def test_it_is_offered_once_by_an_installed_distribution(self) -> None:
        """`lr plugins list` shows it."""
        from ..registry import default_registry

        offered = [entry.distribution for entry in default_registry().entries(self.kind) if entry.name == self.name]
        assert offered, (
            f"a plugin must be offered by an entry point: none in group lerobot.{self.kind} is called {self.name!r}"
        )
        assert len(offered) == 1, (
            f"a name must be offered by one distribution only: {self.name!r} is by {', '.join(offered)}"
        )

    def test_its_plugin_module_is_light(self) -> None:
        """Naming it imports nothing heavy; checked in a process of its own."""
        command = [sys.executable, "-c", _LISTEN, self.kind, self.name, *HEAVY]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"naming a plugin must not fail: {done.stderr.strip()[-500:]}"
        found = json.loads(done.stdout.splitlines()[-1])
        assert not found, f"plugin.py and config.py must import nothing heavy (do it inside build): {', '.join(found)}"

    def test_its_spec_describes_it(self) -> None:
        """Name, kind and one line for listings."""
        spec = self.spec()
        assert self.name in (spec.name, *spec.aliases), (
            f"a spec must bear its entry point's name: {spec.name!r}, not {self.name!r}"
        )
        assert spec.kind == self.kind, (
            f"a {self.kind} plugin must offer a {self.kind} spec, not one of kind {spec.kind!r}"
        )
        assert spec.summary.strip(), "a spec must have a summary"
        assert "\n" not in spec.summary, "a spec's summary must be one line"
        assert len(spec.summary) <= 80, (
            f"a spec's summary must fit one line of a terminal: it has {len(spec.summary)} characters"
        )

    def test_its_config_is_a_frozen_dataclass_of_documented_options(self) -> None:
        """So that `--help` can show it and nothing changes it during a run."""
        from ..config.fields import option_of

        config = self.spec().config
        assert dataclasses.is_dataclass(config), "a spec's config must be a dataclass"
        assert config.__dataclass_params__.frozen, "a config must be frozen"  # type: ignore[attr-defined]
        silent = [field.name for field in dataclasses.fields(config) if not option_of(field).help]
        assert not silent, f"every option must have a line of help: {', '.join(silent)}"

    def test_its_config_survives_a_round_trip_through_a_file(self) -> None:
        """What `run.json` records can be given back with `--config`."""
        config = self.config()
        text = json.dumps(_plain(config))
        again = self._decode(json.loads(text))
        assert again == config, f"a config written to a file must decode to itself: {again} is not {config}"

    def test_an_unknown_option_is_refused(self) -> None:
        """The config is decoded by core and takes no extras."""
        law = "a config must refuse an option that it does not have"
        error = refused(lambda: self._decode({**self.options(), "no_such_option": 1}), law)
        assert "no_such_option" in str(error), f"an unknown option must be named: {error}"

    def test_it_has_every_member_of_its_contract(self) -> None:
        """Methods, properties and attributes, by name."""
        module, _, contract = KINDS[self.kind].contract.partition(":")
        protocol = getattr(importlib.import_module(module), contract)
        wanted = {*vars(protocol), *protocol.__annotations__}
        missing = sorted(name for name in wanted - set(dir(self.make())) if not name.startswith("_"))
        assert not missing, f"a {self.kind} must have every member of its contract: it has no {', '.join(missing)}"

    def test_it_can_be_built_twice(self) -> None:
        """Building opens nothing and shares nothing."""
        assert self.make() is not self.make(), "build must return a new object each time"


class DeviceConformance(PluginConformance):
    """For what is opened and closed: robots, teleoperators, cameras."""

    def close(self, subject: Any) -> None:
        """`disconnect`."""
        subject.disconnect()

    def make(self, **more: Any) -> Any:
        """Build it; a lenient kit also looks whether it is there."""
        device = super().make(**more)
        if self.lenient:
            with self._leniently("opened"):
                device.connect()
            device.disconnect()
        return device

    def connected(self, **more: Any) -> Any:
        """A built and connected device; closed after the test."""
        device = self.make(**more)
        device.connect()
        return device

    def test_it_is_connected_between_connect_and_disconnect(self) -> None:
        """`is_connected` tells the truth."""
        device = self.make()
        assert not device.is_connected, f"a {self.kind} must not be connected before connect()"
        device.connect()
        assert device.is_connected, f"a {self.kind} must be connected after connect()"
        device.disconnect()
        assert not device.is_connected, f"a {self.kind} must not be connected after disconnect()"

    def test_disconnect_is_idempotent(self) -> None:
        """Exit paths overlap."""
        device = self.make()
        accepted(device.disconnect, f"a {self.kind} must allow disconnect() before connect()")
        device.connect()
        device.disconnect()
        accepted(device.disconnect, f"a {self.kind} must allow disconnect() twice")

    def test_it_connects_again(self) -> None:
        """`disconnect` gives everything back."""
        device = self.connected()
        device.disconnect()
        device.connect()
        assert device.is_connected, f"a {self.kind} must connect again after disconnect()"

    def test_a_failed_connect_leaves_nothing_open(self) -> None:
        """It raises a UserError and can be disconnected."""
        broken = self.broken_options()
        if broken is None:
            not_exercised("give broken_options() with which connect() must fail")
        device = self.make(**broken)
        refused(device.connect, f"a {self.kind}'s connect() must fail with broken_options()")
        assert not device.is_connected, f"a {self.kind} whose connect() failed must not be connected"
        accepted(device.disconnect, f"a {self.kind} must allow disconnect() after a failed connect()")


def accepted(call: Callable[[], object], law: str) -> None:
    """Call it; fails with `law` when it raises."""
    try:
        call()
    except Exception as error:
        pytest.fail(f"{law}: {error!r}")


def refused(call: Callable[[], object], law: str, kind: type[UserError] = UserError) -> UserError:
    """The UserError that `call` must raise; fails with `law` when it raises none, or something else."""
    try:
        call()
    except kind as error:
        return error
    except Exception as error:
        pytest.fail(f"{law}, with a {kind.__name__} and not a {type(error).__name__}: {error}")
    pytest.fail(law)


def not_exercised(why: str) -> NoReturn:
    """Say that a rule could not be exercised."""
    pytest.skip(f"not exercised: {why}")


def _plain(value: Any) -> Any:
    """A config as what JSON can hold; a chosen plugin becomes {type, **options}."""
    from ..config.bases import Chosen

    if isinstance(value, Chosen):
        return {"type": value.name, **_plain(value.config)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
