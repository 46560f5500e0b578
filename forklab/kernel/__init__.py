"""The kernel's facts, each once: signals, system calls and their numbers, wait statuses. Nothing is asked here."""
