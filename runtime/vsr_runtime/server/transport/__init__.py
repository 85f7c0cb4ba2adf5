"""gRPC transports: each listens, and passes its streams to the handlers through the same interface."""
