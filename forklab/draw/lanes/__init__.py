"""A history in time: a lane for each process, with a bar for each of its states."""
