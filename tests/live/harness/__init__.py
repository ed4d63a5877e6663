"""Private servers and raw clients for the live tests, contrib/try and contrib/bench.

Everything lives below a temporary directory of its own and on ports that were free; nothing here reads or writes the
system's own mail set-up. Each class has start() and stop() and is a context manager.
"""
