"""Moving one former system over at a time: stages, fencing, quarantine. The same in every service.

A former system is one cluster's system for one service; each service keeps the stages of its own, in its own database.
"""
