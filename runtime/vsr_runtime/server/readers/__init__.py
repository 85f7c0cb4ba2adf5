"""Processes that read large bodies, so that a server can end such work whenever it takes too much time or memory."""
