"""What mail servers answer and send back: read, and sorted into what it means for an address."""
