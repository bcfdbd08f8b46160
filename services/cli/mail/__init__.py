"""``traboule mail``: what goes out, what comes back, whom not to write to, and what DNS must say."""
