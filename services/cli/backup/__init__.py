"""``traboule backup``, ``restore`` and ``republish``: the four databases at one moment, and back."""
