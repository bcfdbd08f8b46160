"""Who is one member: what links join, what staff decided, what waits for a decision."""
