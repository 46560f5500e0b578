"""Lists of actions ("a forks b", "b exits 3", "a reaps b"): random ones, near misses, and the programs that do them.

Processes are called a, b, c ... in the order of their births, as names that say who is whose child would tell too much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from string import ascii_lowercase
from typing import TypeAlias

from forklab.history import History
from forklab.model.actions import Exit, Fork, Wait
from forklab.quiz.pieces import Hand
from forklab.quiz.program import Block, Branch, Sleep, Statement
from forklab.quiz.program import Exit as ExitStatement
from forklab.quiz.program import Wait as WaitStatement

Action: TypeAlias = Fork | Exit | Wait
Actions: TypeAlias = tuple[Action, ...]

FIRST = "a"
_STEPS = {1: (3, 3), 2: (4, 4), 3: (5, 5), 4: (6, 7), 5: (8, 9)}
_MOST = {1: 3, 2: 3, 3: 4, 4: 5, 5: 6}  # processes


def in_words(actions: Actions) -> str:
    return "; ".join(_words(action) for action in actions)


def random_actions(hand: Hand) -> Actions:
    """Something that processes can do, one step after the other; the first of them lives on."""
    alive, zombies = [FIRST], dict[str, str]()  # by zombie, its parent
    parents: dict[str, str] = {}
    done: list[Action] = []
    for _ in range(hand.number(*_STEPS[hand.level])):
        able = [name for name in alive if name != FIRST]
        reapable = [name for name, parent in zombies.items() if parent in alive]
        born = ascii_lowercase[len(parents) + 1]
        moves: list[str] = []
        if len(parents) + 1 < _MOST[hand.level]:
            moves += ["fork"] * 3
        moves += ["exit"] * (2 if able else 0) + ["reap"] * (2 if reapable else 0)
        if not moves:
            break
        match hand.one_of(moves):
            case "fork":
                parents[born] = hand.one_of(alive)
                done.append(Fork(parents[born], born))
                alive.append(born)
            case "exit":
                name = hand.one_of(able)
                alive.remove(name)
                done.append(Exit(name, hand.number(0, 9)))
                if parents[name] in alive:
                    zombies[name] = parents[name]
            case _:
                name = hand.one_of(reapable)
                done.append(Wait(zombies.pop(name), name))
    return tuple(done)


def near_miss(hand: Hand, actions: Actions) -> Actions:
    """Nearly the same. Nobody promises that it can be done, or that it is another list at all."""
    changes = [_swap, _swap, _other_parent, _other_parent, _other_dead, _less, _reap]
    change: Callable[[Hand, list[Action]], None] = hand.one_of(
        changes if hand.level > 2 else [*changes, _more]
    )
    changed = list(actions)
    change(hand, changed)
    return _in_order_of_birth(changed)


def program_for(actions: Actions) -> Block | None:
    """A program that does one action a second.

    None if that is no use: somebody acts who is not there, or reaps who is not his child or has not exited.
    """
    parents: dict[str, str] = {}
    gone: set[str] = set()
    for action in actions:
        if action.process in gone or action.process not in {FIRST, *parents}:
            return None
        match action:
            case Fork(process, child):
                if child in {FIRST, *parents}:
                    return None
                parents[child] = process
            case Exit(process):
                gone.add(process)
            case Wait(process, whom):
                if whom is None or parents.get(whom) != process or whom not in gone:
                    return None
    return _life(FIRST, 0, actions)


def actions_of(history: History, until: float) -> tuple[dict[str, str], Actions]:
    """What a program did until a moment, as a list of actions, and how its processes are called there."""
    names = {"P": FIRST}
    done: list[Action] = []
    for event in history.events[: history.moment(until) + 1]:
        match event.kind:
            case "fork":
                assert event.child is not None
                names[event.child] = ascii_lowercase[len(names)]
                done.append(Fork(names[event.process], names[event.child]))
            case "exit":
                assert event.status is not None
                done.append(Exit(names[event.process], event.status))
            case "reaped" if event.by in names:
                done.append(Wait(names[event.by], names[event.process]))
    return names, tuple(done)


def _words(action: Action) -> str:
    match action:
        case Fork(process, child):
            return f"{process} forks {child}"
        case Exit(process, status):
            return f"{process} exits {status}"
        case Wait(process, child):
            return f"{process} reaps {child}"


def _life(name: str, born: int, actions: Actions) -> Block:
    """What one process does in all this; whoever does not exit stays until all is over, and longer."""
    reaped = {action.child for action in actions if isinstance(action, Wait)}
    body: list[Statement] = []
    now = born
    for second, action in enumerate(actions, start=1):
        if action.process != name:
            continue
        if second > now:
            body.append(Sleep(second - now))
            now = second
        match action:
            case Fork(_, child):
                keep = child if child in reaped else None
                body.append(Branch(_life(child, second, actions), keep=keep))
            case Exit(_, status):
                return (*body, ExitStatement(status))
            case Wait(_, child):
                body.append(WaitStatement(child))
    return (*body, Sleep(2 * len(actions) + 2 - now), ExitStatement(0))


def _swap(hand: Hand, actions: list[Action]) -> None:
    if len(actions) > 1:
        place = hand.number(0, len(actions) - 2)
        actions[place : place + 2] = actions[place + 1], actions[place]


def _other_parent(hand: Hand, actions: list[Action]) -> None:
    forks = [place for place, action in enumerate(actions) if isinstance(action, Fork)]
    if forks:
        place = hand.one_of(forks)
        actions[place] = replace(actions[place], process=hand.one_of(_names(actions)))


def _other_dead(hand: Hand, actions: list[Action]) -> None:
    exits = [place for place, action in enumerate(actions) if isinstance(action, Exit)]
    if exits:
        place = hand.one_of(exits)
        actions[place] = replace(actions[place], process=hand.one_of(_names(actions)))


def _less(hand: Hand, actions: list[Action]) -> None:
    if len(actions) > 1:
        del actions[hand.number(0, len(actions) - 1)]


def _more(hand: Hand, actions: list[Action]) -> None:
    names = _names(actions)
    actor, place = hand.one_of(names), hand.number(1, len(actions))
    actions.insert(place, Fork(actor, f"new {len(names)}"))


def _reap(hand: Hand, actions: list[Action]) -> None:
    forks = [action for action in actions if isinstance(action, Fork)]
    if forks:
        fork = hand.one_of(forks)
        actions.insert(hand.number(1, len(actions)), Wait(fork.process, fork.child))


def _names(actions: list[Action]) -> list[str]:
    return [FIRST, *(action.child for action in actions if isinstance(action, Fork))]


def _in_order_of_birth(actions: list[Action]) -> Actions:
    """With the letters given out anew."""
    called = dict(zip(_names(actions), ascii_lowercase, strict=False))
    return tuple(_renamed(actions, called))


def _renamed(actions: list[Action], called: dict[str, str]) -> Iterator[Action]:
    for action in actions:
        process = called.get(action.process, action.process)
        if isinstance(action, Exit):
            yield replace(action, process=process)
        else:
            child = called.get(action.child or "", action.child or "")
            yield replace(action, process=process, child=child)
