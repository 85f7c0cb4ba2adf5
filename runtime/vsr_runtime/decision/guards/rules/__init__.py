"""What each kind of thing looks like, one file a kind of kinds."""
