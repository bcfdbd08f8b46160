"""Dues: mirrors the invoices and payments that former systems publish, and announces what it holds."""
