"""The inference engine: queues, batches, and the process that computes them."""
