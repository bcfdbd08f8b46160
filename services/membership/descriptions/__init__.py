"""What billing must know of each source record: composed of the record and of its member's view, and announced."""
