"""Seats that cost something: what events says they cost, and what was billed of it."""
