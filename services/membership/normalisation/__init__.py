"""What a record means: identifiers, names, places and contact points in one spelling, with what is doubtful."""
