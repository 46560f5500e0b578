"""What should have happened: a play as it goes with a perfect init."""
