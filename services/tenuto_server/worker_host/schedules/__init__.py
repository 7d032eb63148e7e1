"""Schedules: the pure core that decides what starts when, the workflow around it, and the activities that do it."""
