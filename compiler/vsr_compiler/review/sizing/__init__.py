"""How many replicas of the router a load needs, and with which resources, from measurements."""
