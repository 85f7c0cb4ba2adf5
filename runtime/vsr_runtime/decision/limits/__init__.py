"""How much clients, teams, routes and models may use in a window of time: rules, counts and usage. No clock."""
