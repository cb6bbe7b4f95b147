"""The bus's laws."""

from __future__ import annotations

from typing import Any

from ..contracts.bus import Motor, MotorHealth
from ..errors import BusError
from .base import PluginConformance, accepted, not_exercised, refused


class BusConformance(PluginConformance):
    """Motors by name, raw integers, nothing before open, errors that name the motor.

    Override `port` and `motors` with an emulator's; `position` and `torque` are the vendor's register names.
    """

    kind = "bus"
    position = "Present_Position"
    torque = "Torque_Enable"

    def port(self) -> str:
        """Where the motors are."""
        return "fake"

    def motors(self) -> dict[str, Motor]:
        """Motors that answer there."""
        return {"first": Motor(1, "fake", "degrees"), "second": Motor(2, "fake", "degrees")}

    def close(self, subject: Any) -> None:
        """`close`."""
        subject.close()

    def make(self, **more: Any) -> Any:
        """Build it; a lenient kit also looks whether the motors are there."""
        bus = super().make(**more)
        if self.lenient:
            with self._leniently("opened"):
                bus.open(self.port(), self.motors(), self.clock)
            bus.close()
        return bus

    def opened(self, **more: Any) -> Any:
        """An open bus; closed after the test."""
        bus = self.make(**more)
        bus.open(self.port(), self.motors(), self.clock)
        return bus

    def test_it_is_open_between_open_and_close(self) -> None:
        """`is_open` tells the truth."""
        bus = self.make()
        assert not bus.is_open, "a bus must not be open before open()"
        bus.open(self.port(), self.motors(), self.clock)
        assert bus.is_open, "a bus must be open after open()"
        bus.close()
        assert not bus.is_open, "a bus must not be open after close()"

    def test_close_is_idempotent_and_it_opens_again(self) -> None:
        """Exit paths overlap."""
        bus = self.make()
        accepted(bus.close, "a bus must allow close() before open()")
        bus.open(self.port(), self.motors(), self.clock)
        bus.close()
        accepted(bus.close, "a bus must allow close() twice")
        bus.open(self.port(), self.motors(), self.clock)

    def test_nothing_is_read_or_written_before_open(self) -> None:
        """There is no port."""
        bus = self.make()
        refused(lambda: bus.sync_read(self.position), "a bus must refuse sync_read before open()")
        refused(
            lambda: bus.sync_write(self.torque, dict.fromkeys(self.motors(), 0)),
            "a bus must refuse sync_write before open()",
        )

    def test_a_failed_open_names_its_cause_and_leaves_nothing_open(self) -> None:
        """A motor that is not there, or a port."""
        broken = self.broken_options()
        if broken is None:
            not_exercised("give broken_options() with which open() must fail")
        bus = self.make(**broken)
        law = "a bus's open() must fail with broken_options()"
        refused(lambda: bus.open(self.port(), self.motors(), self.clock), law, BusError)
        assert not bus.is_open, "a bus whose open() failed must not be open"
        bus.close()

    def test_every_motor_answers_by_name(self) -> None:
        """One exchange for all, or for those that are asked."""
        bus, names = self.opened(), list(self.motors())
        everyone = bus.sync_read(self.position)
        assert list(everyone) == names, (
            f"sync_read must answer for every motor by name: {list(everyone)} is not {names}"
        )
        raw = all(isinstance(value, int) for value in everyone.values())
        assert raw, "registers must be raw integers"
        assert list(bus.sync_read(self.position, names[-1:])) == names[-1:], (
            "sync_read must answer for the named motors only"
        )
        assert isinstance(bus.read(self.position, names[0]), int), "read must return a raw integer"

    def test_ping_tells_the_model(self) -> None:
        """And None when nobody answers."""
        bus = self.opened()
        for name in self.motors():
            assert isinstance(bus.ping(name), int), f"ping must return the model number of a motor that answers: {name}"

    def test_every_motor_tells_how_it_is(self) -> None:
        """In volts, degrees Celsius and words."""
        bus = self.opened()
        for name in self.motors():
            health = bus.health(name)
            assert isinstance(health, MotorHealth), f"health must return a MotorHealth, not {type(health).__name__}"
        unknown = sorted(set(bus.complaints) - set(self.motors()))
        assert not unknown, f"complaints must be by motor name: {', '.join(unknown)}"

    def test_what_is_written_is_read_back(self) -> None:
        """Confirmed, and in one packet."""
        bus, names = self.opened(), list(self.motors())
        bus.write(self.torque, names[0], 1)
        assert bus.read(self.torque, names[0]) == 1, "what is written must be read back"
        bus.sync_write(self.torque, dict.fromkeys(names, 0))
        assert set(bus.sync_read(self.torque).values()) == {0}, "what is written to all must be read back from all"

    def test_an_unknown_motor_is_an_error_that_names_it(self) -> None:
        """Names are the only address."""
        bus = self.opened()
        law = "a bus must refuse a motor it was not opened with"
        error = refused(lambda: bus.read(self.position, "no_such_motor"), law, BusError)
        assert "no_such_motor" in str(error), f"a BusError must name the motor: {error}"
