"""One play, judged: direct, observe, compare, decide, explain."""
