"""Conversion between what people write and the integers that the library computes with."""

import os
from decimal import Decimal
from fractions import Fraction
from typing import Optional, Tuple, Union

Seconds = Union[int, float, Decimal, Fraction]
Source = Union[str, "os.PathLike[str]", bytes]


def exact(value: Seconds) -> Fraction:
    """The decimal number that a float prints as: 0.1 is 1/10 here, so that whole nanoseconds stay whole."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def to_ns(time_s: Seconds) -> int:
    """Whole nanoseconds, rounded down: a deadline is never made later than it was asked for."""
    try:
        ns = exact(time_s) * 10**9
    except (ValueError, OverflowError):  # nan, inf
        raise ValueError(f"{time_s!r} is not a time in seconds") from None
    return ns.numerator // ns.denominator


def pick_ns(time_s: Optional[Seconds], time_ns: Optional[int]) -> int:
    """The one of the two that was given, in nanoseconds."""
    if time_s is not None and time_ns is None:
        return to_ns(time_s)
    if time_ns is not None and time_s is None:
        return time_ns
    raise TypeError("give one time, in s or in ns")


def to_uw(power_w: Seconds) -> int:
    """Microwatts, rounded to the nearest."""
    return round(exact(power_w) * 10**6)


def read_source(source: Source) -> Tuple[bytes, str]:
    """The content of a path, or bytes as they are, and what to call them in messages."""
    if isinstance(source, bytes):
        return source, "<bytes>"
    with open(source, "rb") as file:
        return file.read(), os.fspath(source)
