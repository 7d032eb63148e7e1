"""worker_host"""
