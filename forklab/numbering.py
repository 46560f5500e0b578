"""The lecture's numbers: the first process is 1000, whatever the kernel calls it."""

from __future__ import annotations

FIRST_PID = 1000
