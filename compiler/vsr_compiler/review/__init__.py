"""Reviews: what a policy changes against an earlier output, and where each thing in an output came from."""
