"""Consolidated views: which value is shown and why, what staff set by hand, and what a merge brought twice."""
