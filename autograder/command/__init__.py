"""The `autograder` command."""
