"""Energy windows: what the devices of this machine took between two moments.

    with perseus.measure("step") as window:
        train_step()
    print(window.energy_j, window.time_s)

Nothing here raises because hardware is missing or a driver fails: then devices say that they were not measured, and
why. What simulated devices say is marked as simulated.
"""

import atexit
import dataclasses
import functools
import inspect
import os
import threading
import time
from types import TracebackType
from typing import Any, Callable, List, Optional, Tuple, Type, TypeVar

from . import _perseus
from .units import Seconds, to_ns

Function = TypeVar("Function", bound=Callable[..., Any])
Sync = Optional[Callable[[], object]]


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that a meter reads."""

    kind: str  # "gpu", "cpu" (one package) or "dram" (the memory of one package)
    index: int  # as the driver numbers GPUs, the system packages
    name: str
    uuid: str  # "" where it has none
    backend: str  # "nvml", "rapl", "sim" or "replay"
    note: str  # what to know before trusting it
    is_simulated: bool


@dataclasses.dataclass(frozen=True)
class DeviceEnergy:
    """What one device took in a window."""

    kind: str
    index: int
    name: str
    uuid: str
    is_simulated: bool
    method: str  # "counter", "power", or "not measured"
    energy_j: Optional[float]  # None where it was not measured
    error_j: Optional[float]  # the energy lies within energy_j +- error_j, as far as the readings tell
    average_power_w: Optional[float]
    peak_power_w: Optional[float]
    reason: str  # why it was not measured, or not by the counter


class Window:
    """A window, open or ended. All but the name and the depth is known once it has ended."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.depth = 0  # windows of the meter that were open around it
        self.time_s: Optional[float] = None
        self.devices: Tuple[DeviceEnergy, ...] = ()
        self.reason = ""  # why there are no devices

    @property
    def energy_j(self) -> Optional[float]:
        """Of all devices that were measured; None where none was."""
        return self._sum([device.energy_j for device in self.devices])

    @property
    def error_j(self) -> Optional[float]:
        """The true energy of these devices lies within energy_j +- error_j, as far as the readings tell."""
        return self._sum([device.error_j for device in self.devices])

    @property
    def is_simulated(self) -> bool:
        """Some of the energy is a simulated device's."""
        return any(device.is_simulated and device.energy_j is not None for device in self.devices)

    @staticmethod
    def _sum(values: List[Optional[float]]) -> Optional[float]:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    def __repr__(self) -> str:
        if self.time_s is None:
            return f"<Window {self.name!r}: open>"
        if self.energy_j is None:
            return f"<Window {self.name!r}: {self.time_s:.6f} s, not measured>"
        simulated = " (simulated)" if self.is_simulated else ""
        return f"<Window {self.name!r}: {self.time_s:.6f} s, {self.energy_j:.3f} J +- {self.error_j:.3f} J{simulated}>"


class _Handle:
    """The library's meter in one process."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule
        self.pid = os.getpid()
        self.devices = tuple(Device(*fields) for fields in _perseus.meter_devices(capsule))
        self.notes: Tuple[str, ...] = _perseus.meter_notes(capsule)


class _OpenWindow:
    """A window that runs, with the handle that it was begun on: another may have taken its place since."""

    def __init__(self, meter: "Meter", name: str) -> None:
        self.window = Window(name)
        self._handle = meter._current()
        self._reason = meter._reason
        self._begin_ns = time.monotonic_ns()
        self._id = 0 if self._handle is None else _perseus.meter_begin(self._handle.capsule, name)

    def end(self) -> Window:
        window, handle = self.window, self._handle
        window.time_s = (time.monotonic_ns() - self._begin_ns) / 1e9
        if handle is None:
            window.reason = self._reason
        elif handle.pid != os.getpid():
            window.reason = "the window was begun in another process"
        else:
            time_ns, window.depth, readings = _perseus.meter_end(handle.capsule, self._id)
            window.time_s = time_ns / 1e9
            window.devices = tuple(
                DeviceEnergy(device.kind, device.index, device.name, device.uuid, device.is_simulated, *reading)
                for device, reading in zip(handle.devices, readings)
            )
            window.reason = "" if readings else "; ".join(handle.notes) or "no devices were asked for"
        return window


class Measurement:
    """What `measure` makes: a context manager that gives a Window, or a decorator.

    A decorated function has the window of its last call that ended as `last_window`.
    """

    def __init__(self, meter: Callable[[], "Meter"], name: str, sync: Sync) -> None:
        self._meter = meter
        self._name = name
        self._sync = sync
        self._open = threading.local()  # windows begun by `with` and not ended, of each thread

    def _begin(self) -> _OpenWindow:
        if self._sync is not None:
            self._sync()
        return _OpenWindow(self._meter(), self._name)

    def _end(self, window: _OpenWindow, is_failed: bool) -> Window:
        # After an exception what `sync` waits for may never come, or hide the exception by one of its own.
        try:
            if self._sync is not None and not is_failed:
                self._sync()
        finally:
            ended = window.end()
        return ended

    def __enter__(self) -> Window:
        opened = self._begin()
        self._open.__dict__.setdefault("windows", []).append(opened)
        return opened.window

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._end(self._open.windows.pop(), kind is not None)

    def __call__(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(f"{function.__name__} goes on after its call: measure within it")

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            opened = self._begin()
            is_failed = True
            try:
                result = function(*args, **kwargs)
                is_failed = False
            finally:
                measured.last_window = self._end(opened, is_failed)  # type: ignore[attr-defined]
            return result

        measured.last_window = None  # type: ignore[attr-defined]
        return measured  # type: ignore[return-value]


class Meter:
    """Meters the devices that `devices` names: "nvml", "rapl", "sim:a100x2", several joined by '+', or "auto".

    By default what PERSEUS_DEVICES names, or "auto": NVIDIA's GPUs and CPUs, each where it is there; of the GPUs those
    that CUDA_VISIBLE_DEVICES shows, or all with `all_gpus`. A thread of the library samples every `sample_period_s`.

    InvalidError for `devices` that nobody could mean. What is not there, or may not be read, is no error: `reason` says
    why there is nothing to read, `notes` what else was not found, windows why a device was not measured.

    After a fork the child's meter is opened anew on first use.
    """

    def __init__(
        self,
        devices: Optional[str] = None,
        *,
        all_gpus: bool = False,
        rapl_root: Optional[str] = None,
        sample_period_s: Seconds = 0.1,
    ) -> None:
        self._spec = devices or os.environ.get("PERSEUS_DEVICES") or "auto"
        self._visible_gpus = None if all_gpus else os.environ.get("CUDA_VISIBLE_DEVICES")
        self._rapl_root = rapl_root
        self._sample_period_ns = to_ns(sample_period_s)
        self._pid = 0
        self._handle: Optional[_Handle] = None
        self._reason = ""
        self._reopen()

    @classmethod
    def _without_devices(cls, reason: str) -> "Meter":
        """Where the environment is wrong, not the program: a training loop goes on."""
        meter = cls.__new__(cls)
        meter._pid = 0
        meter._handle = None
        meter._reason = reason
        return meter

    def _reopen(self) -> None:
        self._pid = os.getpid()
        self._handle = None
        try:
            capsule = _perseus.meter_open(self._spec, self._visible_gpus, self._rapl_root, self._sample_period_ns)
            self._handle = _Handle(capsule)
        except _perseus.InvalidError:
            raise
        except _perseus.PerseusError as error:
            self._reason = str(error)

    def _current(self) -> Optional[_Handle]:
        """The handle of this process; None where nothing could be opened, or it was closed."""
        if self._pid not in (0, os.getpid()):
            self._reopen()
        return self._handle

    def measure(self, name: str = "window", *, sync: Sync = None) -> Measurement:
        """As perseus.measure, with this meter."""
        return Measurement(lambda: self, name, sync)

    @property
    def devices(self) -> Tuple[Device, ...]:
        handle = self._current()
        return () if handle is None else handle.devices

    @property
    def notes(self) -> Tuple[str, ...]:
        """What was not found or left out, and why."""
        handle = self._current()
        return () if handle is None else handle.notes

    @property
    def reason(self) -> str:
        """Why there is nothing to read; "" where there is."""
        handle = self._current()
        return self._reason if handle is None else "" if handle.devices else "; ".join(handle.notes)

    def close(self) -> None:
        """Ends its thread, once windows that are open have ended. Windows begun later say that they were not measured."""
        self._pid = 0
        self._handle = None
        self._reason = "the meter is closed"

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


_default: Optional[Meter] = None
_default_lock = threading.Lock()


def default_meter() -> Meter:
    """The meter that `measure` uses: one for the process, opened on first use."""
    global _default
    with _default_lock:
        if _default is None:
            try:
                _default = Meter()
            except _perseus.InvalidError as error:
                _default = Meter._without_devices(f"PERSEUS_DEVICES: {error}")
        return _default


def measure(name: str = "window", *, sync: Sync = None) -> Measurement:
    """Measures what this machine's devices take, in a `with` block or in every call of a function:

        with perseus.measure("step") as window: ...

        @perseus.measure("step")
        def step(): ...

    Windows may nest and overlap, in any thread. `sync` is called before a window begins and before it ends, such as
    torch.cuda.synchronize where the GPU works on after the call that asked for it. The devices are those of
    `default_meter`.
    """
    return Measurement(default_meter, name, sync)


def _forget_default() -> None:
    """In the child after a fork: its meter is to be its own, whoever held the lock."""
    global _default, _default_lock
    _default = None
    _default_lock = threading.Lock()


def _close_default() -> None:
    if _default is not None:
        _default.close()


os.register_at_fork(after_in_child=_forget_default)
atexit.register(_close_default)
