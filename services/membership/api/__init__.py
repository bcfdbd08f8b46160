"""The HTTP door: members, their timelines and statistics, for whoever holds an API key."""
