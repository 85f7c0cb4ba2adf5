"""Envoy Gateway with HTTPRoutes."""
