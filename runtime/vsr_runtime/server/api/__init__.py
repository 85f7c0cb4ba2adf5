"""The HTTP API: classification, evaluation of requests, and models."""
