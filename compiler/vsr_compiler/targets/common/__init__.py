"""Features: each emits the objects of one concern from the linked policy. A target is a list of them."""
