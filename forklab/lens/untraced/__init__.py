"""The lens where tracing is refused: one look at a program when everybody in it sleeps."""
