"""Moving the events of a cluster over and back: what must hold, and what its former system is told of registrations."""
