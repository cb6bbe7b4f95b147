"""The bus contract over Feetech servos: names for registers and motors, retries, errors in words."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lerobot_core.clock import Clock
from lerobot_core.contracts.bus import FoundMotor, Motor, MotorHealth
from lerobot_core.devices.ports import latency_warning, port_of
from lerobot_core.errors import BusError, did_you_mean

from . import setup
from .config import FeetechConfig
from .greet import greet
from .line import LineGone
from .protocol import Answer, Protocol
from .table import NAMES, STS, Register, in_words

PATIENT_S = 0.05
"""How long one answer may take outside the control loop: three times the worst latency timer."""
BRISK_S = 0.0045
"""The same inside it: three USB frames and what a motor thinks. Two of them fit in a third of a 30 Hz period."""
PATIENT_TRIES = 4
LOOPED = ("Present_Position", "Present_Velocity", "Present_Load", "Present_Current")
"""What a control loop reads: these alone are in a hurry."""


class FeetechBus:
    """Servos on one serial line.

    Args:
        config: its patience.
        log: what motors complain of is said here.
    """

    def __init__(self, config: FeetechConfig, log: logging.Logger) -> None:
        self._config, self._log = config, log
        self._port = ""
        self._ids: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._complaints: dict[str, tuple[str, ...]] = {}
        self._protocol: Protocol | None = None
        self._clock: Clock | None = None
        self._latency_s = 0.0

    # --- open and close ---------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""
        return self._protocol is not None

    def open(self, port: str, motors: Mapping[str, Motor], clock: Clock) -> None:
        """Open the port and look who is there, reading only.

        Raises:
            BusError: the port cannot be opened, or a motor is missing, double or of another model.
        """
        adapter = port_of(port)
        if warning := latency_warning(adapter):
            self._log.warning("%s", warning)
        self._latency_s = (adapter.latency_ms or 0) / 1000 if adapter else 0.0
        self._port, self._clock = port, clock
        self._ids = {name: motor.id for name, motor in motors.items()}
        self._failures, self._lost, self._complaints = dict.fromkeys(motors, 0), dict.fromkeys(motors, 0), {}
        self._protocol = Protocol.open(port, self._config.baud)
        try:
            with self._line() as protocol:
                greet(protocol, motors, port, PATIENT_S, self._log)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the port; torque stays as it is. Idempotent."""
        if self._protocol is not None:
            self._protocol.line.close()
            self._protocol = None

    # --- one motor --------------------------------------------------------------------------------------------------

    def ping(self, motor: str) -> int | None:
        """The motor's model number, None when it does not answer."""
        register = STS["Model_Number"]
        with self._line() as protocol:
            answer = protocol.read(self._id(motor), register.address, register.size, PATIENT_S)
        return register.decode(answer.data) if answer else None

    def read(self, register: str, motor: str) -> int:
        """One register of one motor."""
        where = _register(register)
        return where.decode(self._read(motor, where.address, where.size))

    def write(self, register: str, motor: str, value: int, eeprom: bool = False) -> None:
        """Write one register and see it confirmed; `eeprom` opens the lock around it (torque must be off)."""
        if eeprom:
            self._write(motor, "Lock", 0)
        self._write(motor, register, value)
        if eeprom:
            self._write(motor, "Lock", 1)

    def health(self, motor: str) -> MotorHealth:
        """Model, firmware, voltage and temperature."""
        major, minor, _, low, high = self._read(motor, 0, 5)
        present = STS["Present_Voltage"]
        voltage, temperature = self._read(motor, present.address, 2)
        model = NAMES.get(low | high << 8, f"model {low | high << 8}")
        return MotorHealth(
            self._id(motor),
            model,
            f"{major}.{minor}",
            voltage / 10,
            float(temperature),
            self._complaints.get(motor, ()),
            self._lost[motor],
        )

    # --- all of them ------------------------------------------------------------------------------------------------

    def sync_read(self, register: str, motors: Sequence[str] | None = None) -> dict[str, int]:
        """One register of all (or the named) motors; those whose answer was lost are asked again within the budget.

        Raises:
            BusError: naming the first motor that kept silent, with its count of failures in a row.
        """
        where = _register(register)
        ids = {self._id(name): name for name in (self._ids if motors is None else motors)}
        found: dict[int, Answer] = {}
        with self._line() as protocol:
            began, (tries, patience, budget) = self._now(), self._effort(register)
            for attempt in range(tries):
                if attempt > 1 and self._now() - began + patience > budget:
                    break
                missing = [id for id in ids if id not in found]
                found |= protocol.sync_read(missing, where.address, where.size, patience)
                if len(found) == len(ids):
                    break
                for id in missing:
                    self._lost[ids[id]] += id not in found
        for id, name in ids.items():
            self._note(name, found.get(id))
        silent = next((name for id, name in ids.items() if id not in found), None)
        if silent is not None:
            raise self._silent(silent, protocol.garbled)
        return {name: where.decode(found[id].data) for id, name in ids.items()}

    def sync_write(self, register: str, values: Mapping[str, int]) -> None:
        """One register of several motors in one packet; nobody answers."""
        where = _register(register)
        data = {self._id(name): _encode(where, register, name, value) for name, value in values.items()}
        if data:
            with self._line() as protocol:
                protocol.sync_write(where.address, data)

    @property
    def complaints(self) -> Mapping[str, tuple[str, ...]]:
        """What motors said is wrong with them when they last answered."""
        return dict(self._complaints)

    # --- set-up -----------------------------------------------------------------------------------------------------

    def scan(self, port: str, clock: Clock) -> list[FoundMotor]:
        """Who answers, at whatever baud rate."""
        return setup.scan(port)

    def assign(self, port: str, found: FoundMotor, id: int, clock: Clock) -> None:
        """Give a motor another id and 1 Mbit/s."""
        setup.assign(port, found, id)

    # --- inside -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _line(self) -> Iterator[Protocol]:
        if self._protocol is None:
            raise BusError("the bus is not open", "", "call open() first")
        try:
            yield self._protocol
        except LineGone as error:
            raise BusError(
                f"{self._port} is gone", str(error), "check the USB cable and the adapter, then start again"
            ) from error

    def _effort(self, register: str) -> tuple[int, float, float]:
        """Tries, seconds for each, and after how many seconds to give up."""
        if register in LOOPED:
            return self._config.retries + 1, BRISK_S + self._latency_s, self._config.budget_ms / 1000
        return PATIENT_TRIES, PATIENT_S, math.inf

    def _id(self, motor: str) -> int:
        if motor not in self._ids:
            known = list(self._ids)
            raise BusError(
                f"there is no motor {motor!r} on this bus",
                f"known: {', '.join(known)}",
                did_you_mean(motor, known),
                motor=motor,
            )
        return self._ids[motor]

    def _now(self) -> float:
        assert self._clock is not None
        return self._clock.now()

    def _read(self, motor: str, address: int, size: int) -> bytes:
        id = self._id(motor)
        with self._line() as protocol:
            for _ in range(PATIENT_TRIES):
                answer = protocol.read(id, address, size, PATIENT_S)
                if answer is not None:
                    break
        self._note(motor, answer)
        if answer is None:
            raise self._silent(motor, protocol.garbled)
        return answer.data

    def _write(self, motor: str, register: str, value: int) -> None:
        where, id = _register(register), self._id(motor)
        data = _encode(where, register, motor, value)
        with self._line() as protocol:
            for _ in range(PATIENT_TRIES):
                answer = protocol.write(id, where.address, data, PATIENT_S)
                # The confirmation may be lost, and a motor can be told never to confirm: then look.
                answer = answer or _matching(protocol.read(id, where.address, where.size, PATIENT_S), data)
                if answer is not None:
                    break
        self._note(motor, answer)
        if answer is None:
            raise self._silent(motor, protocol.garbled)

    def _note(self, motor: str, answer: Answer | None) -> None:
        """Count failures in a row, and say what a motor complains of when that changes."""
        if answer is None:
            self._failures[motor] += 1
            return
        self._failures[motor] = 0
        if answer.error or self._complaints:
            words = in_words(answer.error)
            if words and words != self._complaints.get(motor):
                self._log.warning("motor '%s' (id %d) reports %s", motor, self._ids[motor], ", ".join(words))
            self._complaints.pop(motor, None)
            if words:
                self._complaints[motor] = words

    def _silent(self, motor: str, garbled: bool) -> BusError:
        count, id = self._failures[motor], self._ids[motor]
        if garbled:
            what, why = f"motor '{motor}' (id {id}) cannot be understood", f"noise, or two motors with id {id}"
        else:
            what, why = f"motor '{motor}' (id {id}) does not answer", f"{count} times in a row on {self._port}"
        return BusError(what, why, "check its cable and the power supply", motor=motor, count=count)


def _register(name: str) -> Register:
    if name not in STS:
        raise BusError(f"there is no register {name!r}", "", did_you_mean(name, list(STS)))
    return STS[name]


def _encode(where: Register, register: str, motor: str, value: int) -> bytes:
    try:
        return where.encode(value)
    except ValueError as error:
        raise BusError(f"{register} of motor '{motor}' cannot be set", str(error), motor=motor) from error


def _matching(answer: Answer | None, data: bytes) -> Answer | None:
    return answer if answer is not None and answer.data == data else None
