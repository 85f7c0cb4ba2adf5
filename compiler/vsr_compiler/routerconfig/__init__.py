"""Router files from the linked policy, one module per router implementation."""
