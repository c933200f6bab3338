"""Numbers, sizes and times as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def count(number: int) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,}"


def size(number: int) -> str:
    """A size in bytes with three digits, in decimal units."""
    if -1000 < number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in _UNITS:
        value /= 1000
        if abs(value) < 999.5 or unit == _UNITS[-1]:
            break
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def exact_size(number: int) -> str:
    """A size in words with its bytes."""
    if number == 1:
        return "1 byte"
    return f"{number} bytes" if -1000 < number < 1000 else f"{size(number)} ({number:,} bytes)"


def parsed(value: object) -> datetime | None:
    """A time given as such, as seconds since 1970, or as RFC 3339 text; None when it is none of these."""
    try:
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and len(value) > 10 and value[10] in "Tt ":
            time = datetime.fromisoformat(value)
            return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
    return None


def moment(time: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{time.day} {time:%b} {time.year:04} {time:%H:%M}"


def instant(time: datetime) -> str:
    """A time to the second, in UTC."""
    return f"{moment(time)}:{time:%S}"


def day(time: datetime) -> str:
    """A time to the day, in UTC."""
    return f"{time.day} {time:%b} {time.year:04}"


def exact(time: datetime) -> str:
    """A time in full, for hovering and for machines."""
    return time.isoformat().replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
