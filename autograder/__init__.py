"""The judge: play a scenario against a submission, decide, explain, keep the books."""
