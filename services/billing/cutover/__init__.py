"""Moving a cluster's billing over and back: what must hold, and what its former system is told of documents."""
