"""Policies in an editor: findings, names, completion and hints for one text at a time, without a protocol."""
