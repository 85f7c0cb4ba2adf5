"""What gateways, endpoint pickers and sidecars do with our objects and with requests: their rules, executed.

`facts` holds the rules as data with their source. `envoy_gateway` and `istio` turn objects into the listeners and
routes that each control plane makes of them, `envoy` sends a request through these, and `probes` asks the questions
that tests ask: who answers, which filters ran, what each of them was shown. Nothing here knows a policy or the
compiler.
"""
