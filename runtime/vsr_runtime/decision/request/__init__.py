"""One request and its response as pure state machines: events in, actions out."""
