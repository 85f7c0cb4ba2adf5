"""The vLLM production stack behind Envoy AI Gateway."""
