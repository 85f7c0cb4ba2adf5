"""The conversation in a request: its turns, which of them govern it, its key, and state that a provider holds."""
