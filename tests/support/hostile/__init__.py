"""A publisher that sends whatever the wire can carry, and a law that a service must keep whatever it is sent.

Client libraries refuse to send most of this, so the publisher writes its frames itself. The law: a healthy message
that another cluster publishes afterwards is applied within seconds, and what came before it is applied, parked or
quarantined, exactly once.

To read in this order: ``wire.py``, ``message.py``, ``bodies.py``, ``properties.py``, ``corpus.py``, ``generated.py``,
``publisher.py``, ``accounts.py``, ``law.py``.
"""
