"""What one step of a process is, as data: where everybody stands before it, and which facts it touches."""
