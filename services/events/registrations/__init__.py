"""Registrations of a source record, and for which gatherings it is still expected."""
