"""The members that billing knows: source records as membership described them last, and whose they are."""
