"""The services of a Tenuto server."""
