"""Random interleavings of a former system's messages, our own commands, switches and rollbacks, with kills.

Each is one cluster's story on a real database, through the code that a service runs: lanes settle what a broker that
never forgets gives them, staff ask at the door and by the broker, an operator moves the former system over and back.
Afterwards the database says in which order everything was committed, and a model of what may happen is held against it.

To read in this order: ``story.py``, ``broker.py``, ``hostile.py``, ``trouble.py``, ``commits.py``, ``checker.py``,
``running.py``.
"""
