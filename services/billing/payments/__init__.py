"""Payments that are recorded here: what documents they pay, what of them is free, paid back, or returned by a bank."""
