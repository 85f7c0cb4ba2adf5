"""The policy language, one package per version."""
