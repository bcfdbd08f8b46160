"""``traboule dead-letters``: parked messages, looked at, replayed or discarded."""
