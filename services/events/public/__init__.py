"""Gatherings and registrations as people without a key see them: public sessions, and personal links."""
