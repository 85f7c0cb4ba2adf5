"""Trains compiled classifier heads: a policy's categories become some weights over sentence embeddings."""
