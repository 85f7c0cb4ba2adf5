"""Recognisers, one module per subject."""
