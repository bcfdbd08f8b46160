"""Mails that go out once: each a row with a state, marked before its text leaves the house."""
