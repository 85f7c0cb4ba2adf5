"""Readers of requests, one file an API: from the body's values to a view."""
