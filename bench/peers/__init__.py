"""Other ways to do the same work, to measure against."""
