"""The decision core: pure functions and state machines without sockets, threads, models or a clock."""
