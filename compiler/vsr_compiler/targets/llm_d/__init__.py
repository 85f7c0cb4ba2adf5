"""llm-d: Istio with pools and the llm-d router's endpoint picker."""
