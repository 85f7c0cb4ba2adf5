"""Istio with InferencePools and the Inference Extension's endpoint picker."""
