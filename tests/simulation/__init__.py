"""Deterministic simulation: a whole cluster in one process, on virtual time, from one seed.

The services run as they are. What is simulated lies around them:

    loop       an asyncio loop whose time jumps; nothing waits, and a seed is one run, step by step
    network    delays, losses, doubled requests, broken links, partitions, crashes
    faulty_store, store   the shared store with its failures, and each process's own, fenced way to it
    cluster    processes with lives: start, stop in good order, crash between two steps, come back; skewed clocks
    storm      when which mishap happens
    program, workers, client, workload   seeded workflows, unreliable raw workers, clients that try again and repeat themselves
    observed   every acknowledgement the outside world got
    picture, states   what the cluster says at rest, through the public interface, and what its memory holds
    checkers   what must hold, whatever happened
    plants     mistakes put in on purpose, from outside: proofs that the checkers find them
    scenario   what a seed stands for; simulation: one run from seed to findings

See README.md for how to run it and what it can and cannot find.
"""
