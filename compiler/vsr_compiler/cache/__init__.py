"""Answers of earlier runs, each found by the sha256 of everything that it depends on. They never fail a run."""
