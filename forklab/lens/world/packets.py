"""What is on its way in channels that keep messages apart: in which order, from whom, and with which descriptors.

What such a channel holds is all that matters of its past. Who has read a message from it can tell that message, and not
how many came after it: so much fewer states than by a digest of all that was ever sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from forklab.steps.state import End


class Packet(NamedTuple):
    """`text` in our numbers. As long as it is on its way it holds what it brings: the `ends` of channels."""

    text: str
    sender: str
    ends: tuple[End, ...] = ()


@dataclass(eq=False)
class Packets:
    """By the side of a channel to which they are sent, the first one first."""

    _queues: dict[End, list[Packet]] = field(default_factory=dict)

    def send(self, to: End, packet: Packet) -> None:
        self._queues.setdefault(to, []).append(packet)

    def receive(self, at: End, *, leave: bool) -> Packet | None:
        """The next one there; with `leave` (MSG_PEEK) it stays."""
        queue = self._queues.get(at)
        if not queue:
            return None
        return queue[0] if leave else queue.pop(0)

    def at(self, to: End) -> tuple[Packet, ...]:
        """All that is on its way to there."""
        return tuple(self._queues.get(to, ()))

    def held(self) -> Iterator[tuple[End, tuple[End, ...]]]:
        """What is held by messages, with the side to which they are sent."""
        for to, queue in self._queues.items():
            yield from ((to, packet.ends) for packet in queue if packet.ends)

    def brought_by(self, channel: str) -> tuple[str, ...]:
        """The channels of which messages in this one hold ends."""
        return tuple(
            sorted(
                {end.channel for to, ends in self.held() for end in ends if to.channel == channel}
            )
        )

    def forget(self, channel: str) -> None:
        for end in [end for end in self._queues if end.channel == channel]:
            del self._queues[end]
