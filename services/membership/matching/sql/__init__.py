"""What recognition keeps in PostgreSQL: features, keys and how common they are, candidates, judged pairs."""
