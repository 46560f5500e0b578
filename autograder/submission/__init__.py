"""What a student handed in: whose it is, how it is built, whether this machine can run it."""
