"""The stock router's config file, one module a contract release."""
