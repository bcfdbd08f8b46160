"""What each member owes: a pure function of records, days, cover, the grid in force and decisions."""
