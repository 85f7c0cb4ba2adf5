"""Istio with Services."""
