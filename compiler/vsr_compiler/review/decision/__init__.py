"""The decision of one request and its reasons, as a report, for a terminal, and as a drawing."""
