"""What a change of a policy does to recorded traffic: reads requests, decides each by two policies, and counts."""
