"""A class, graded: who does the work, where the results are kept, what lateness costs."""
