"""The ways in which gRPC reaches the handlers: each listens, and gives them its streams in the same form."""
