"""Servers outside this process that classify text: Presidio, moderation APIs, and inference servers."""
