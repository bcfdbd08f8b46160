"""``traboule cutover`` and ``traboule quarantine``: one former system moved at a time."""
