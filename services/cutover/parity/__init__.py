"""Proof that a mirror holds what the former system holds: compared, kept, accepted difference by difference."""
