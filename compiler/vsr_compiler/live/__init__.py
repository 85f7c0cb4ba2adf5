"""What a cluster has of a policy's output: objects, their conditions, the router's pods and the gateway. Read-only."""
