"""The books of each issuer: entries that the database writes with their cause, and the file that accountants read."""
