"""Machinery that at least two services use. It names no business noun and imports neither services nor schemas."""
