"""The pure core: workflow histories in, decisions out. Imports no IO; see `replayer` for the theory of operation."""
