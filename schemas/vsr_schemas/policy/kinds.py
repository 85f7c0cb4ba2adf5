"""Kinds of files of the policy language, for those who must not pay for its models."""

FRAGMENT_KIND = "RoutingPolicyFragment"
