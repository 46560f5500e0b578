"""All schedules of a real program: which outcomes it can have, and how each comes about.

    learned.py    what a step does, from real runs
    graph.py      every state that it can come to
    harvest.py    the outcomes, read off the graph
    every.py      every schedule, one real run each: slow, and hard to get wrong
    dpor.py       one schedule of each kind, by what steps have to do with each other
    tempting.py   whether chance has a say in the outcomes
    explore.py    the front door

The three ways to search have to agree.
"""

from forklab.bounds import Progress
from forklab.explore.exploration import Exploration
from forklab.explore.explore import explore
from forklab.explore.outcome import Outcome

__all__ = ["Exploration", "Outcome", "Progress", "explore"]
