"""The ask: the person's own words in a request, without what a harness or a front end puts around them."""
