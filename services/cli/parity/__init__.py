"""``traboule parity``, ``differences`` and ``rehearse``: our mirror beside the former system."""
