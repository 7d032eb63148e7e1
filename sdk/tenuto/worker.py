"""For running workflows and activities."""

from tenuto._worker.discovery import definitions_in
from tenuto._worker.worker import Worker, run_event_loop, run_until_signal

__all__ = ["Worker", "definitions_in", "run_event_loop", "run_until_signal"]
