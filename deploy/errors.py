"""What can go wrong with local nodes, in words for the person who reads one line."""


class NodeError(RuntimeError):
    """A server that did not start, stop or answer; or one that is not ours to stop."""


class MissingPackagesError(NodeError):
    """The servers' binaries are not here and could not be installed."""
