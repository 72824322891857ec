"""Restart intensity: how many restarts in how long a window are still a recovery and not a storm."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.clock import NANOS

__all__ = ["Intensity", "spend"]


@dataclass(frozen=True, slots=True)
class Intensity:
    """At most ``restarts`` (0: none at all) within any ``window_s`` seconds."""

    restarts: int = 5
    window_s: float = 60.0

    def __post_init__(self) -> None:
        if self.restarts < 0 or not self.window_s > 0:
            raise ValueError(f"an intensity needs restarts >= 0 and window_s > 0: {self!r}")


def spend(history: tuple[int, ...], now: int, intensity: Intensity) -> tuple[int, ...] | None:
    """Return the restarts (instants, oldest first) that still count, with one more at ``now``; None when it is too many.

    As in OTP a restart exactly one window old still counts. The result never holds more than ``intensity.restarts``.
    """
    oldest = now - round(intensity.window_s * NANOS)
    recent = tuple(at for at in history if at >= oldest)
    return (*recent, now) if len(recent) < intensity.restarts else None
