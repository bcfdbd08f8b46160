"""Writes what producers read from the contracts, and compares it with what was published."""
