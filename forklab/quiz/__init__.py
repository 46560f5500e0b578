"""Random questions on processes, and answers that come from running the program."""
