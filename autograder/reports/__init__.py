"""Reports: the same gradebook as pages, a table, Gradescope's and JUnit's forms. They only read."""
