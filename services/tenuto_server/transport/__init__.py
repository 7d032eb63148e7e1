"""How calls reach handlers: the public interface's acceptors, and the network between services."""
