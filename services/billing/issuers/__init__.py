"""Issuers: the legal bodies that bill. Which of them bills whom, from which day on, and with which settings."""
