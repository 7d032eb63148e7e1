"""A process of a cluster: its settings, what it is made of, how it starts and stops, and several of them on one machine."""
