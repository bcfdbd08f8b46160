"""How a database knows itself: one that comes out of a backup has another fingerprint than before."""

from typing import Final

FINGERPRINT: Final = """
    (select s.system_identifier || '/' || c.timeline_id || '/' || d.oid
     from pg_control_system() s, pg_control_checkpoint() c, pg_database d where d.datname = current_database())
"""
"""SQL: the server's own number, its timeline, the database's id. A disk that was put back as a whole keeps it."""
