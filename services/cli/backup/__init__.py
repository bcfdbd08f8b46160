"""``traboule backup``, ``restore`` and ``retell``: the four databases at one moment, and back."""
