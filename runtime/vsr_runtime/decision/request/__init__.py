"""One request as a pure state machine: events in, actions out. No gRPC type, no socket, no clock."""
