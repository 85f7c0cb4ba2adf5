"""Overlays, Argo CD objects, sandbox settings, and writing the output tree."""
