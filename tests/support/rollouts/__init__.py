"""A cluster during a change of a policy, as a transition system: what can happen in which order, and who is served.

`versions` compiles the old and the new policy and says which objects differ. `delivery` says in which order Argo CD,
kubectl and Flux apply them. `cluster` explores what can happen meanwhile: objects of one wave in any order, pods that
get ready, gateways and nodes that learn late, syncs that fail and go back. `serving` sends requests through each state,
with the gateways of `support.consumers` and the state machine of the runtime. `proof` says what must hold, and prints
the steps to a state in which it does not. `pairs` generates old and new policies.
"""
