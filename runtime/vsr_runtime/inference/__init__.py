"""Models that classify text: encoders, compiled heads, checkpoints, and the engine that batches them."""
