"""The inference engine: a queue bounded by tokens, batches without padding, in this process or one of its own."""
