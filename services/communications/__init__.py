"""Consents and mailings: mirrors what former systems publish, and announces what it holds."""
