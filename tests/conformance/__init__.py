"""One suite for every store: what `persistence/interface.py` promises, over nothing but the `Store` protocol."""
