"""Signals that are found out from the request alone, one file a kind: pure, and cheap beside a model."""
