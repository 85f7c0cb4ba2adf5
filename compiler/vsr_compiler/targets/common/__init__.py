"""Emitters, checks and builders that several targets share. Nothing here imports a stack."""
