"""The worker-host service: hosts workers beside the server, on the public interface."""
