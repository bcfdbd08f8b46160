"""Members: source records, links between them, consolidated views, and the one HTTP gateway."""
