"""The bus contract over Dynamixel servos: names for registers and motors, retries, errors in words."""

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
from .config import DynamixelConfig
from .greet import greet
from .line import LineGone
from .protocol import Answer, Protocol
from .table import ALERT, NAMES, X_SERIES, Register, in_words, refusal

PATIENT_S = 0.05
"""How long one answer may take outside the control loop: three times the worst latency timer."""
BRISK_S = 0.0045
"""The same inside it, besides the delay that is set in the motors: three USB frames and some more. Two of them fit in a
third of a 30 Hz period."""
DELAY_UNIT_S = 2e-6
"""Of Return_Delay_Time."""
PATIENT_TRIES = 4
LOOPED = ("Present_Position", "Present_Velocity", "Present_Current", "Present_PWM")
"""What a control loop reads: these alone are in a hurry."""
_GARBLED_REQUEST = 3
"""Error number of a motor that understood its id and little else: worth another try."""


class DynamixelBus:
    """Servos on one serial line.

    Args:
        config: its patience.
        log: what motors complain of is said here.
    """

    def __init__(self, config: DynamixelConfig, log: logging.Logger) -> None:
        self._config, self._log = config, log
        self._port = ""
        self._ids: dict[str, int] = {}
        self._delays: dict[int, int] = {}
        self._failures: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._complaints: dict[str, tuple[str, ...]] = {}
        self._protocol: Protocol | None = None
        self._clock: Clock | None = None
        self._latency_s = 0.0
        self._garbled = False

    # --- open and close ---------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""
        return self._protocol is not None

    def open(self, port: str, motors: Mapping[str, Motor], clock: Clock) -> None:
        """Open the port and look who is there and how they are, reading only.

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
                self._delays = greet(protocol, motors, port, PATIENT_S)
            for name in motors:
                self.read("Hardware_Error_Status", name)
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
        register = X_SERIES["Model_Number"]
        with self._line() as protocol:
            answer = protocol.read(self._id(motor), register.address, register.size, PATIENT_S)
        return register.decode(answer.data) if answer else None

    def read(self, register: str, motor: str) -> int:
        """One register of one motor."""
        where = _register(register)
        return where.decode(self._read(motor, register, where.address, where.size))

    def write(self, register: str, motor: str, value: int, eeprom: bool = False) -> None:
        """Write one register and see it confirmed. What is kept without power wants torque off and no unlocking."""
        where, id = _register(register), self._id(motor)
        data = _encode(where, register, motor, value)
        answer: Answer | None = None
        with self._line() as protocol:
            for _ in range(PATIENT_TRIES):
                answer = protocol.write(id, where.address, data, PATIENT_S)
                # The confirmation may be lost, and a motor can be told never to confirm: then look.
                answer = answer or _matching(protocol.read(id, where.address, where.size, PATIENT_S), data)
                if answer is not None and answer.error & ~ALERT != _GARBLED_REQUEST:
                    break
            self._garbled = protocol.garbled
        self._note(motor, answer)
        self._accept(motor, f"{register} = {value}", answer)
        if register == "Return_Delay_Time":
            self._delays[id] = value

    def health(self, motor: str) -> MotorHealth:
        """Model, firmware, voltage, temperature, and what is wrong."""
        identity = self._read(motor, "Model_Number", 0, 7)
        voltage, temperature = self.read("Present_Input_Voltage", motor), self.read("Present_Temperature", motor)
        errors = in_words(self.read("Hardware_Error_Status", motor))
        number = int.from_bytes(identity[:2], "little")
        model = NAMES.get(number, f"model {number}")
        lost = self._lost[motor]
        return MotorHealth(self._id(motor), model, str(identity[6]), voltage / 10, float(temperature), errors, lost)

    # --- all of them ------------------------------------------------------------------------------------------------

    def sync_read(self, register: str, motors: Sequence[str] | None = None) -> dict[str, int]:
        """One register of all (or the named) motors; those whose answer was lost are asked again within the budget.

        Raises:
            BusError: naming the first motor that kept silent, with its count of failures in a row.
        """
        where = _register(register)
        ids = {self._id(name): name for name in (self._ids if motors is None else motors)}
        with self._line() as protocol:
            found = self._ask(protocol, ids, where, register in LOOPED)
            self._garbled = protocol.garbled
        for id, name in ids.items():
            self._note(name, found.get(id))
        for id, name in ids.items():
            self._accept(name, f"reading {register}", found.get(id))
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
        """What is wrong with motors that raised the alert when they last answered."""
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

    def _ask(self, protocol: Protocol, ids: Mapping[int, str], where: Register, brisk: bool) -> dict[int, Answer]:
        """Sync read, repeated for those that were not heard; `brisk`, within the budget."""
        assert self._clock is not None
        found: dict[int, Answer] = {}
        tries, budget = (
            (self._config.retries + 1, self._config.budget_ms / 1000) if brisk else (PATIENT_TRIES, math.inf)
        )
        began = self._clock.now()
        for attempt in range(tries):
            missing = [id for id in ids if id not in found]
            patience = self._patience(missing) if brisk else PATIENT_S
            if attempt > 1 and self._clock.now() - began + patience > budget:
                break
            found |= protocol.sync_read(missing, where.address, where.size, patience)
            if len(found) == len(ids):
                break
            for id in missing:
                self._lost[ids[id]] += id not in found
        return found

    def _patience(self, ids: Sequence[int]) -> float:
        return BRISK_S + self._latency_s + DELAY_UNIT_S * sum(self._delays[id] for id in ids)

    def _read(self, motor: str, register: str, address: int, size: int) -> bytes:
        id = self._id(motor)
        with self._line() as protocol:
            for _ in range(PATIENT_TRIES):
                answer = protocol.read(id, address, size, PATIENT_S)
                if answer is not None and answer.error & ~ALERT != _GARBLED_REQUEST:
                    break
            self._garbled = protocol.garbled
        self._note(motor, answer)
        return self._accept(motor, f"reading {register}", answer).data

    def _note(self, motor: str, answer: Answer | None) -> None:
        """Count failures in a row, and keep what the motor complains of."""
        if answer is None:
            self._failures[motor] += 1
            return
        self._failures[motor] = 0
        if not answer.error & ALERT:
            self._complaints.pop(motor, None)
        elif motor not in self._complaints:
            self._complaints[motor] = self._diagnose(motor)
            words = ", ".join(self._complaints[motor])
            self._log.warning("motor '%s' (id %d) reports %s", motor, self._ids[motor], words)

    def _diagnose(self, motor: str) -> tuple[str, ...]:
        """The alert is one bit; what it means is asked for once, when it appears."""
        where = X_SERIES["Hardware_Error_Status"]
        with self._line() as protocol:
            answer = protocol.read(self._ids[motor], where.address, where.size, BRISK_S + self._latency_s)
        words = in_words(where.decode(answer.data)) if answer else ()
        return words or ("a hardware error",)

    def _accept(self, motor: str, what: str, answer: Answer | None) -> Answer:
        """The answer, when there is one and it is not a refusal."""
        if answer is None:
            raise self._silent(motor)
        if why := refusal(answer.error):
            trouble = self._complaints.get(motor)
            raise BusError(
                f"motor '{motor}' (id {self._ids[motor]}) refuses: {what}",
                f"it reports {', '.join(trouble)}" if trouble else why,
                "let it cool and free it, then switch its power off and on" if trouble else "",
                motor=motor,
            )
        return answer

    def _silent(self, motor: str) -> BusError:
        count, id = self._failures[motor], self._ids[motor]
        if self._garbled:
            what, why = f"motor '{motor}' (id {id}) cannot be understood", f"noise, or two motors with id {id}"
        else:
            what, why = f"motor '{motor}' (id {id}) does not answer", f"{count} times in a row on {self._port}"
        return BusError(what, why, "check its cable and the power supply", motor=motor, count=count)


def _register(name: str) -> Register:
    if name not in X_SERIES:
        raise BusError(f"there is no register {name!r}", "", did_you_mean(name, list(X_SERIES)))
    return X_SERIES[name]


def _encode(where: Register, register: str, motor: str, value: int) -> bytes:
    try:
        return where.encode(value)
    except ValueError as error:
        raise BusError(f"{register} of motor '{motor}' cannot be set", str(error), motor=motor) from error


def _matching(answer: Answer | None, data: bytes) -> Answer | None:
    return answer if answer is not None and answer.data == data else None
