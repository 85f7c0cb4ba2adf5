"""Decides what of a stock router's config is executed, ignored or refused, before it is validated."""
