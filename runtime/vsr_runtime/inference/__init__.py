"""Models that read a request: finding an encoder's files, its graph, its embeddings, and the heads over them."""
