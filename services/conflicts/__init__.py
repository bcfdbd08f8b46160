"""Conflicts that a merge brings, kept by the service whose staff must resolve them: the same in billing and events.

Membership tells what is there twice, and tells it again when that changes; staff assign and settle. Neither overwrites
the other: where a conflict stands is computed from both, so it does not depend on which came first. Each change of
owner or state is announced.
"""
