"""The lens: run a program, know its history, draw it. Knows nothing of grading."""
