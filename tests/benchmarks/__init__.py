"""`make bench`: how fast the house is, beside the limit and beside the usual ways to do the same, all in one run."""
