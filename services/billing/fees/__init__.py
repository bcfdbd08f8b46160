"""Grids of fees: what they ask of a member, and their adoption."""
