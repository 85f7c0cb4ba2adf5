"""The report of a policy as one HTML page that needs nothing else: no script, font, picture or network."""
