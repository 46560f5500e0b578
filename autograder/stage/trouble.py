"""What can go wrong on our side."""


class StageError(Exception):
    """The stage itself failed: the machine lacks something, or the judge made a mistake. Never the student's doing."""
