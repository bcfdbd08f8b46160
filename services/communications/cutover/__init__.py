"""Moving a cluster's communications over and back: what must hold, and which objections its former list is told of."""
