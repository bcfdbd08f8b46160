"""``traboule duplicates``, ``matching``, ``overrides`` and ``rebuild``: work on membership's data."""
