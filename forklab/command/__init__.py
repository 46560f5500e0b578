"""The `forklab` command: one file a subcommand, and what they have in common."""
