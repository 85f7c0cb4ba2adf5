"""The APIs that are routed, and readers from their request bodies to a `RequestView`."""
