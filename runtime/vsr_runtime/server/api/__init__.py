"""The HTTP API: what a policy's signals, guards and decisions say of a text, without sending it anywhere."""
