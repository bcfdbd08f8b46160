"""Rehearsal: what we would have done, computed beside what the former system did, while that is the authority."""
