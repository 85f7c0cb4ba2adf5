"""Signals: facts about a request that conditions refer to."""
