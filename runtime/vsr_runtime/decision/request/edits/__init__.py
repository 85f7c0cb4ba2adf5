"""What a decision changes in a body, one file a concern: pure, on a draft."""
