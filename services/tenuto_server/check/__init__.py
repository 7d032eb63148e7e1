"""A look at everything that a store holds, for what does not agree: `tenuto-server check`."""
