"""Reviews of a policy: the difference from an earlier output, breaking changes, tests, and the origin of output."""
