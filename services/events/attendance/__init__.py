"""Attendance: who came, as a list, and how many, as funders ask for it."""
