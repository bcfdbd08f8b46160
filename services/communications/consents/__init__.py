"""Consents and objections of a source record, and which of them are in force."""
