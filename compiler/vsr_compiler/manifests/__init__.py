"""Kubernetes objects and the output tree as data."""
