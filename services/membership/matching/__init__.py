"""Recognising one company in several source records, in the order in which it happens.

``features`` (what a record contributes) → ``keys`` and ``trigrams`` (how records find each other) → ``candidates``
(which pairs are compared) → ``levels`` (how alike, field by field) → ``score`` (log2 odds, and words for staff) →
``guard`` (what may not be merged without a person) → ``grouping`` (which records are one member).
"""
