"""The pure core: program, signals, guards and the state machine of one request."""
