"""Gatherings and their sessions: when and where they take place, and who may register until when."""
