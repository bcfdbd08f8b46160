"""Addresses and records that must not be written to, kept so that no merge, erasure or import forgets them."""
