"""What processes share beside pipes and signals: files, names of files, priorities ... Who has had to do with what.

As long as nobody changes it, or only one process has to do with it, it does not matter when somebody looks at it. A
resource that one changes and another one touches is *contested*: then each call on it has to be a step of its own, and
the explorer begins anew with that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from forklab.lens.world.chronicle import Member
from forklab.lens.world.digests import digest_of
from forklab.lens.world.surroundings import File
from forklab.steps.resources import FIFOS, is_always_shared, is_held
from forklab.steps.state import Touch

SOMEBODY = ""  # whoever may end a wait
_WITHOUT_A_NAME = re.compile(r"/#\d+$")  # by O_TMPFILE: its number is another one in each run
_WIDE = {"name": "files", "file": "files", "folder": "files", "lock": "locks", "fifo": FIFOS}


@dataclass(eq=False)
class Resources:
    """`shared` are those whose calls are steps. `touched`: by resource, who has had to do with it, and told there.

    `mapped` are files whose content somebody may look at without a call, `lockers` those who have locked one with
    flock(2), and `users` those who, by what they do and its path, have executed one or opened it to write. Names with a
    pid in them may be other ones in another run: `in_our_numbers` makes them the same.
    """

    shared: frozenset[str] = frozenset()
    touched: dict[str, dict[str, bool]] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    lockers: set[str] = field(default_factory=set)
    users: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    heard_ends: set[str] = field(default_factory=set)  # who has read the end of something
    in_our_numbers: Callable[[str], str] = str
    _digests: dict[str, str] = field(default_factory=dict)
    _labels: dict[File, str] = field(default_factory=dict)
    _seen_at: dict[str, int] = field(default_factory=dict)

    def label_of(self, file: File) -> str | None:
        """The path by which it is known, if it is."""
        return self._labels.get(file)

    def label(self, file: File, path: str) -> str:
        """A file has the path by which it was seen first, whatever others it has; a new one there is another one."""
        found = self._labels.get(file)
        if found is None:
            path = _WITHOUT_A_NAME.sub("/#", path)
            number = self._seen_at[path] = self._seen_at.get(path, 0) + 1
            found = self._labels[file] = path if number == 1 else f"{path} ({number})"
        return found

    def note(self, name: str, touches: Iterable[Touch], *, waits: bool = False) -> None:
        """Of a process, or SOMEBODY.

        `waits`: it may have to wait there, so somebody else has to do with it, or nobody ever ends that.
        """
        for resource, tells in touches:
            if is_always_shared(resource):
                continue
            who = self.touched.setdefault(self.in_our_numbers(resource), {})
            who[name] = who.get(name, False) or tells
            if waits:
                who.setdefault(SOMEBODY, True)

    def shared_of(self, touches: Iterable[Touch], *, tells: bool = False) -> tuple[Touch, ...]:
        """Those that are shared, each once; `tells`: all are told.

        Pipes are, always, and signals. Files, folders and names are one, and so are all locks: which file has a name is
        for others to change, so what a call touches must not depend on it.
        """
        found: dict[str, bool] = {}
        for resource, told in touches:
            if is_always_shared(resource):
                found[resource] = told
            elif self.in_our_numbers(resource) in self.shared:
                wide = _WIDE.get(resource.partition(" ")[0], resource)
                found[wide] = found.get(wide, False) or told or tells
        return tuple(Touch(*item) for item in sorted(found.items()))

    def values(self, touches: Iterable[Touch]) -> tuple[Hashable, ...]:
        """As `forklab.steps.state.values_of` has them."""
        return tuple(self._digests.get(touch.resource) for touch in touches)

    def told(self, touches: Iterable[Touch], *what: Hashable) -> None:
        """Something was done to them; nobody else has done the same as `what`."""
        for touch in touches:
            if touch.tells:
                self._tell(touch.resource, what)

    def is_now(self, resource: str, *what: Hashable) -> None:
        """Something was done to it, and this is all that matters of how it is now; nothing: as at the start."""
        if what:
            self._digests[resource] = repr(what)
        else:
            self.forget(resource)

    def forget(self, resource: str) -> None:
        """It is as it was at the start."""
        self._digests.pop(resource, None)

    def gone(self, member: Member) -> None:
        """The kernel takes back what an ended process has held."""
        if not self.shared:
            return
        # With it go descriptors that it has from its ancestors, and the locks of flock(2) that belong to them.
        has_locked = self.may_have_locked(member)
        touched = {
            r
            for r in self.shared
            if member.name in self.touched.get(r, {}) or (has_locked and r.startswith("lock "))
        }
        for resource, _ in self.shared_of(Touch(resource, tells=True) for resource in touched):
            if is_held(resource) and resource in self._digests:  # else nobody has held anything
                self._tell(resource, (member.name, "gone"))

    def may_have_locked(self, member: Member) -> bool:
        """Whether a lock of flock(2) may belong to an open file of its: by itself, or by one of its ancestors."""
        return any(f"{member.name}.".startswith(f"{name}.") for name in self.lockers)

    def facts(self) -> Iterable[tuple[str, str]]:
        """The digests of those that are shared and not as they were at the start."""
        return self._digests.items()

    def _tell(self, resource: str, what: tuple[Hashable, ...]) -> None:
        self._digests[resource] = digest_of(self._digests.get(resource, ""), *what)
