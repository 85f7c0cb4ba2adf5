"""Envoy AI Gateway."""
