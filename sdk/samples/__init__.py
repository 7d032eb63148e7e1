"""Runnable samples; each file is one."""
