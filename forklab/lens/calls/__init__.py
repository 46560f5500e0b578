"""What each kind of system call means to a program under the lens."""
