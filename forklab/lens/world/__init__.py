"""Who stands where while a program runs, what has happened, what time it is, and how much of everything is allowed."""
