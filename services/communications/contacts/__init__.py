"""Who can be written to: source records as membership described them last, read by record, member or address."""
