"""One sentence or two about each field of a policy, by the path of its section and by its name.

In a path, ``*`` stands for a name that the policy chooses and ``[]`` for an item of a list. The reference page
``docs/reference/policy.md`` and the JSON Schema for editors take their descriptions from here.
"""

from __future__ import annotations

from vsr_schemas.policy.v1alpha1 import backend_descriptions, rollout_descriptions

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "": {
        "apiVersion": "Version of the policy language.",
        "kind": "Kind of the file.",
        "metadata": "Name of the policy.",
        "imports": "Fragments of the policy in files of their own, with their owners. At most 64.",
        "router": "The router, and the limits that it shares with the gateway.",
        "gateway": "The Gateway that carries the traffic.",
        "identity": "How clients are authenticated, and what routes can know of them. Without it everybody is served.",
        "apis": "APIs that are open. Defaults to all. Paths of others get 404.",
        "gitops": "Repository and clusters for Argo CD and Flux. Without it the Argo CD objects contain a placeholder "
        "(VSR301).",
        "endpoints": "Places where models run, by name.",
        "models": "Models that clients and routes can name.",
        "classifiers": "Models that read a request, by name. A classifier for the categories is trained by default.",
        "categories": "Mutually exclusive kinds of request, by name.",
        "signals": "Further conditions on a request, by name.",
        "ask": "How the words of a person are distinguished from what agents and front ends put around them.",
        "guards": "Checks that apply to every request and, if configured, to responses.",
        "stickiness": "How the requests of a conversation stay with a model.",
        "routes": "Routes. The first one whose condition holds decides; see `priority`.",
        "default": "Model or adapter for requests that no route matches, or a mapping with how it is called.",
        "limits": "How much clients, teams, routes or models may use in a window of time. Each router pod allows its "
        "share.",
        "assertions": "Properties of all requests that the compiler proves.",
        "tests": "Example requests with the expected decision.",
        "residency": "Regions that the output of an environment may refer to, by the region of the environment.",
        "environments": "Overlays of the output, by name.",
    },
    "metadata": {"name": "Name of the policy, and of its folder below `out/`."},
    "imports[]": {
        "file": "File of the fragment, relative to the file that imports it and within the repository.",
        "owner": "Who is responsible for it. `explain` and the lock name the owner.",
    },
    "router": {
        "image": "Image of the router, pinned by tag or digest. Required for `vsr-runtime`; for `semantic-router` the "
        "image of its release is the default.",
        "engine": "Router implementation: the runtime of this project, or the stock vLLM semantic-router.",
        "namespace": "Namespace of the router.",
        "replicas": "Number of router pods.",
        "gpus": "GPUs of each router pod, for classifiers with `device: cuda`. The image must contain torch.",
        "weights": "Where the checkpoints of classifiers are stored.",
        "unguarded": "Only for `semantic-router`: accept that it guards no request that names its model.",
        "autoModels": "Model names with which a client lets the router choose. No model may have one of these names.",
        "deadline": "Time limit of a decision: the gateway's message timeout and the runtime's budget. At most `10m`.",
        "maxBody": "Largest request body: the gateway's buffer and the runtime's limit. Larger requests get 413. An "
        "endpoint picker without a flag for it lowers the limit of its models to 4032 KiB (VSR318). "
        "`1Ki` to `1Gi`.",
        "onFailure": "What happens if no decision can be made: `deny` rejects the request, `default-model` sends it to "
        "`default`.",
        "overflow": "What happens to requests that are longer than the `context` of the models of their route: `route` "
        "tries the next route that matches, then `default`; `reject` answers 400.",
        "responseHeaders": "Which responses carry the decision in `x-vsr-*` headers: none, those of clients that send "
        "`x-vsr-debug: true`, or all.",
        "accessLogMetadata": "Whether the router sends each decision as metadata of the request, so that access logs "
        "of the gateway can contain it. See [Access logs](metrics.md#access-logs). Router `vsr-runtime` only.",
        "reload": "How a change reaches the router: `rollout` replaces its pods one after the other. With `hot`, "
        "running pods read it, unless models or their endpoints change; `vsr-runtime` only.",
        "rollout": "Replace the pods in steps, each judged by the router's metrics. See "
        "[Roll out in steps](../how-to/roll-out-in-steps.md).",
        "cache": "A Valkey or Redis in which all replicas share the responses that routes with `cache` store. Without "
        "it each process has its own. Router `vsr-runtime` only.",
        "candidate": "Another policy that decides requests as well and is only compared, or decides a share of them. "
        "Router `vsr-runtime` only.",
        "encoder": "Sentence encoder of all heads, embedding signals and caches. By default that of the image, "
        "all-MiniLM-L6-v2, which reads English. Router `vsr-runtime` only.",
    },
    "router.candidate": {
        "policy": "File of the candidate, relative to this one and within the repository. Its routing counts; the "
        "gateway, the router's pods and the environments are those of this policy.",
        "share": "Per cent of all conversations that the candidate decides instead of this policy. The rest is only "
        "compared.",
    },
    "router.encoder": {
        "repo": "Repository on Hugging Face; one of the table in `docs/how-to/write-a-policy.md`.",
        "revision": "Commit at which the init container fetches it, or below which the claim `weights.pvc` has it.",
        "sha256": "Of its `model.safetensors`. Files with another one are not used.",
    },
    "router.cache": {
        "address": "Host and port of the store, such as `valkey.cache:6379`.",
        "tls": "Whether the router calls it by TLS.",
        "ca": "Authority that signed the store's certificate. Without it, those of the image.",
        "login": "Password of the store, and maybe a user of its access list. Without it anybody who reaches the store "
        "reads the responses (VSR581).",
        "pods": "Labels of the store's pods. With them, a NetworkPolicy in the namespace of the address lets only the "
        "router reach them.",
        "region": "Where it is, for `residency`. A store in the cluster without one is in the region of the "
        "environment, another one in none.",
    },
    "router.cache.ca": {
        "secret": "Name of the Secret in the router's namespace.",
        "key": "Key with the certificates, in PEM.",
    },
    "router.cache.login": {
        "secret": "Name of the Secret in the router's namespace.",
        "username": "Key with the name of the user. Without it, the store's default user.",
        "password": "Key with the password.",
    },
    "router.weights": {
        "pvc": "PersistentVolumeClaim in the router's namespace that already contains the checkpoints, each in "
        "`<repo>/<revision>`. Without it the compiler emits a claim and an init container that fills it.",
        "token": "Secret with the Hugging Face token (key `token`) for downloading checkpoints. Public checkpoints do "
        "not need it.",
    },
    "gateway": {
        "name": "Name of the Gateway.",
        "namespace": "Namespace of the Gateway and its routes.",
        "versions": "Release profile (`current`, `2026-08` or `seed`), or releases by project that override `current`.",
        "timeout": "Time limit of a whole request, streaming included.",
        "listeners": "Ports with hostnames and TLS. Defaults to one, `http` on port 80, without TLS and for every "
        "hostname. At most 16.",
        "cors": "Pages that may call the gateway from a browser. Without it preflights are left to the gateway.",
        "redis": "Host and port of the Redis in which the gateway counts for limits with `countedBy: gateway`.",
    },
    "gateway.listeners[]": {
        "name": "Name of the listener in the Gateway. Further hostnames make further listeners, `NAME-2` and so on.",
        "port": "Port, of HTTP or with `tls` of HTTPS. Listeners of one port differ in their hostnames.",
        "hostnames": "Hostnames, such as `api.example.com` or `*.example.com`. Defaults to every host, and for a "
        "redirect to those of its target. At most 16.",
        "tls": "Certificate of the listener. Without it the port is plain HTTP.",
        "clientCertificates": "Authorities of client certificates. A client without such a certificate is refused.",
        "redirect": "Listener with TLS to which this one sends every request (301). It serves nothing else.",
        "allowedNamespaces": "Namespaces from which routes of others may attach, besides those of the policy.",
    },
    "gateway.listeners[].tls": {
        "secret": "Secret of type `kubernetes.io/tls`: a name, or `{name, namespace}` for one in another namespace. "
        "With `issuer`, the Secret that it fills.",
        "issuer": "ClusterIssuer of cert-manager, or `{name, kind}` for an Issuer in the Gateway's namespace. The "
        "compiler writes the Certificate. Needs `hostnames`.",
    },
    "gateway.listeners[].tls.secret": {
        "name": "Name of the Secret.",
        "namespace": "Namespace of the Secret.",
    },
    "gateway.listeners[].tls.issuer": {
        "name": "Name of the issuer.",
        "kind": "Kind of the issuer. An `Issuer` is in the Gateway's namespace.",
    },
    "gateway.listeners[].clientCertificates": {
        "secret": "Secret with `ca.crt`, in the Gateway's namespace. On Istio its name is that of the listener's "
        "Secret with `-cacert` behind it. Exactly one of the two is required.",
        "configMap": "ConfigMap with `ca.crt`, in the Gateway's namespace. Not on Istio.",
    },
    "identity": {
        "jwt": "Tokens in `authorization: Bearer`, which the gateway checks. One of the three is required.",
        "apiKeys": "Keys of clients, by reference, in `authorization: Bearer`, `x-api-key` or `api-key`.",
        "gatewayHeader": "Headers of a front end that has authenticated its users, such as a chat application.",
    },
    "identity.jwt": {
        "issuer": "The `iss` of tokens.",
        "audiences": "A token must have one of these in `aud`. At most 8.",
        "jwksUri": "URL of the issuer's keys. `https`, or the `http` URL of a Service in the cluster.",
        "claims": "Attributes of the client by name, and the claim of each: `user` (default `sub`), `team`, `role`, "
        "`tenant`, or a name of your own. `a.b` is the claim `b` within `a`. The claim of `role` may be a list.",
    },
    "identity.apiKeys[]": {
        "secret": "Name of the Secret in the router's namespace.",
        "key": "Key in the Secret. On Envoy Gateway it names the client, so each needs another one.",
        "user": "The user whom the key identifies.",
        "team": "The team of the user.",
        "role": "The role of the user, or a list of roles.",
        "tenant": "The tenant of the user.",
        "claims": "Further attributes of the user, by names of your own.",
    },
    "identity.gatewayHeader": {
        "from": "Addresses and networks of the front end. Requests from others are refused. Nothing else may send from "
        "them, and the gateway must see them: no proxy in between. Or `clientCertificates`: whoever has a certificate "
        "that every listener for requests requires.",
        "user": "Header with the user. Required: a request without it is refused.",
        "team": "Header with the team.",
        "role": "Header with the roles, separated by commas.",
        "tenant": "Header with the tenant.",
        "claims": "Headers with further attributes, by names of your own.",
    },
    "gateway.cors": {
        "allowOrigins": "Origins of the pages, or `*` for all.",
        "allowHeaders": "Request headers that pages may send; `*` for those that they ask for.",
        "exposeHeaders": "Response headers that pages may read.",
        "allowCredentials": "Whether browsers may send cookies and client certificates.",
        "maxAge": "Time for which browsers keep the answer to a preflight.",
    },
    "gitops": {
        "repo": "URL of the repository that contains `out/`, or `oci://` and the name of the artifact that "
        "`vsr-compile package` makes.",
        "revision": "Branch, tag or commit to follow; of an artifact its tag or digest. For Flux a name is a branch, "
        "unless it has the form of a version or begins with `refs/`.",
        "path": "Folder of the repository that contains `out/`.",
        "server": "API server of the cluster that Argo CD syncs to.",
        "namespace": "Namespace of Argo CD.",
        "clusters": "Clusters by a name of your own, for `environments.*.clusters`.",
        "flux": "Write objects for Flux as well, in `flux/`.",
        "charts": "Helm charts that Argo CD and Flux install with the values of the output. Without it you install "
        "them (VSR315).",
    },
    "gitops.clusters.*": {
        "server": "API server of the cluster. Without it Argo CD knows the cluster by its name.",
        "kubeconfig": "Secret in the namespace of Flux with which it reaches the cluster. Without it the cluster has a "
        "Flux of its own.",
    },
    "gitops.flux": {
        "namespace": "Namespace of Flux's objects.",
        "interval": "Time between two comparisons with the cluster and the repository.",
        "secret": "Secret with the credentials of the repository or the registry.",
        "serviceAccount": "ServiceAccount that Flux applies with.",
    },
    "endpoints.*": {
        "vllm": "vLLM pods that the compiler emits, for one checkpoint.",
        "service": "An existing Service: `name`, `name:port`, `name.namespace:port`, or a mapping.",
        "pods": "Existing pods, selected by labels. The compiler emits the Service.",
        "external": "A provider outside the cluster, reached over TLS.",
        "pool": "How the pods are pooled, on targets with endpoint pickers.",
        "region": "Where it is, by a name of your own. An endpoint in the cluster without one is in the region of the "
        "environment, a provider without one in none.",
    },
    "endpoints.*.vllm": {
        "namespace": "Namespace of the pods. Defaults to that of the gateway.",
        "gpus": "GPUs of each pod.",
        "replicas": "Number of pods.",
        "storage": "Size of the volume that keeps the weights.",
        "token": "Secret with the Hugging Face token (key `token`), in the namespace of the pods.",
        "args": "Additional arguments of the server, of the release in `gateway.versions`. Arguments that set what the "
        "compiler sets, contradict the policy or contain a secret are rejected.",
    },
    "endpoints.*.service": {
        "name": "Name of the Service.",
        "namespace": "Namespace of the Service. Defaults to that of the gateway.",
        "port": "Port of the Service.",
    },
    "endpoints.*.pods": {
        "selector": "Labels of the pods.",
        "namespace": "Namespace of the pods. Defaults to that of the gateway.",
        "port": "Port on which the pods listen.",
    },
    "endpoints.*.external": {
        "url": "URL of the provider's API. A URL without a path means `/v1`. The host must be a full name. A query is "
        "sent with every request, instead of the client's.",
        "apiKey": "The Secret that contains the API key, in the router's namespace.",
        "clientHeaders": "Whether the gateway removes headers about the client, the decision and the gateway from "
        "requests to the provider, such as the client's address. The page on headers lists them.",
    },
    "endpoints.*.external.apiKey": {
        "secret": "Name of the Secret.",
        "key": "Key of the Secret that contains the value.",
    },
    "endpoints.*.pool": {
        "picker": "The endpoint picker of the pool.",
        "failureMode": "What happens while the picker's Service has no ready endpoint: `FailClose` fails the request, "
        "`FailOpen` lets the gateway choose any pod of the pool. A picker that is listed but does not answer fails "
        "requests in either mode.",
        "disaggregation": "Separate pods for prefill and decode. Only on the target `llm-d`.",
    },
    "endpoints.*.pool.picker": {
        "plugins": "Scorers with their weights. Defaults to the scorers of the picker's release.",
        "replicas": "Number of picker pods. With more than one they elect a leader.",
    },
    "ask": {
        "profiles": "Programs whose markers are known: all (`builtin`), some by name, or `none`. Blocks, labels and "
        "headings of other programs are recognised by their structure in any case.",
        "markers": "Pairs of patterns around blocks that your own clients write.",
    },
    "ask.markers[]": {
        "open": "What a block begins with, as a regular expression (RE2 syntax).",
        "close": "What it ends with. A block without an end is not recognised.",
        "holds": "Whether the block is context, which is left out, or the ask itself.",
    },
    "models.*": {
        "endpoints": "One endpoint, a list, or a mapping of endpoints to weights. The gateway splits by weight.",
        "checkpoint": "Hugging Face repository of the weights. Required if an endpoint is `vllm`.",
        "providerModel": "Name of the model at the server, if it differs. A `vllm` server gets this name as well.",
        "loras": "LoRA adapters by name. The name of an adapter can be used wherever a model name can.",
        "context": "Context length in tokens. A longer request never reaches the model; see `router.overflow`.",
        "price": "Price per million tokens.",
        "reasoningFamily": "How reasoning is switched on and off for this model.",
        "allow": "Clients that may use the model, if not all: those with one of these attributes. Others get 403, "
        "whether they name the model or a route leads them to it, and do not see it in the list of models. Adapters "
        "have the clients of their base. Needs `identity`.",
    },
    "models.*.allow": {
        "user": "This user, or users of a list.",
        "team": "This team, or teams of a list.",
        "role": "Clients with this role, or with one of a list.",
        "tenant": "This tenant, or tenants of a list.",
        "claims": "Clients with one of these claims: a value or a list each.",
    },
    "models.*.loras.*": {
        "path": "Folder of the adapter on the endpoint's volume, or a repository that vLLM downloads.",
    },
    "models.*.price": {
        "prompt": "Price of a million prompt tokens.",
        "completion": "Price of a million completion tokens.",
        "cachedPrompt": "Price of a million prompt tokens that the model has in its prefix cache. See "
        "`stickiness.margin`.",
    },
    "classifiers.*": {
        "task": "What the classifier recognises.",
        "encoder": "Sentence encoder of a head that is trained at compile time.",
        "head": "Train a head from the examples of the categories, or from `examples`.",
        "checkpoint": "A Hugging Face model instead of a trained head.",
        "examples": "Examples of a head for `task: labels` or `task: jailbreak`, by label, as under `categories`. "
        "`other` has texts without a label. A `jailbreak` head has one label, that of attacks, and `other`.",
        "falseAlarms": "Share of texts without a label that may get one. The threshold is chosen for it on examples of "
        "topics that the head has not seen. The default is 0.01 for a head with one label, 0.05 for one with several.",
        "server": "A server that others run, instead of a model in the router.",
        "device": "Where the model runs.",
        "precision": "Numeric precision. Defaults to `int8` for the encoder, and for a checkpoint to `fp32` on `cpu` "
        "and `bf16` on `cuda`. The encoder supports `int8` and `fp32`, a checkpoint `fp32` and `bf16`.",
        "of": "What decides the category: the person's `ask`, or all texts of the `request`.",
        "threshold": "Probability below which the classifier gives no answer. By default it is computed from the "
        "examples for a trained head, and 0.5 for a checkpoint.",
    },
    "classifiers.*.server": {
        "protocol": "What the server speaks: Presidio's `/analyze`, OpenAI's moderations, Llama Guard by chat "
        "completions, NeMo Guardrails' checks, KServe's v2 protocol, text-embeddings-inference, or vLLM.",
        "service": "Service in the cluster, as `name`, `name:port` or `name.namespace:port`.",
        "url": "Address of an API over TLS. `/v1` at its end may be left out.",
        "model": "Model that requests name.",
        "config": "Configuration of NeMo Guardrails that requests name.",
        "language": "Language that Presidio assumes. Defaults to `en`.",
        "outputs": "Outputs of the model in their order, for `kserve-v2`, `vllm-classify` and `vllm-pooling`.",
        "labels": "Labels of attacks that count. Defaults to `flagged`, `unsafe` or `blocked` for an API with a "
        "verdict, and otherwise to `jailbreak`.",
        "timeout": "Longest time for all texts of a request.",
        "concurrency": "Most requests of one router process at a time.",
        "window": "Characters of a text that the server reads at a time; longer texts are read in overlapping pieces. "
        "Defaults to 50000 for Presidio, 8000 for APIs with a verdict, and 400 for inference servers.",
        "apiKey": "Key that the server requires.",
        "ca": "ConfigMap in the router's namespace with the certificates of the server's authority under `ca.crt`.",
        "region": "Where it is, for `residency`. A server in the cluster without one is in the region of the "
        "environment, another one in none.",
    },
    "classifiers.*.server.apiKey": {
        "secret": "Name of the Secret, in the router's namespace.",
        "key": "Key of the Secret that contains the value.",
        "header": "Header that carries the key. In `authorization` it follows `Bearer`.",
    },
    "classifiers.*.checkpoint": {
        "repo": "Hugging Face repository.",
        "revision": "Commit of the repository.",
    },
    "categories.*": {
        "description": "What belongs to the category.",
        "examples": "Prompts of the category, as users write them, at most 4,000 characters each. "
        "`builtin:NAME@VERSION` stands for a shipped set's examples of the label with the category's name, "
        "`builtin:NAME@VERSION/LABEL` for those of another label.",
    },
    "signals.*": {
        "keywords": "Words in the person's ask.",
        "match": "Whether any, all or none of the `keywords` must occur.",
        "regex": "Read the `keywords` as regular expressions (RE2 syntax).",
        "caseSensitive": "Distinguish upper and lower case in `keywords`.",
        "embedding": "Semantic similarity to sentences.",
        "context": "Length of the conversation in tokens.",
        "language": "Language of the person's ask, as one ISO 639-1 code or a list.",
        "complexity": "Estimated difficulty of the request.",
        "structure": "Number of occurrences of a pattern or of keywords.",
        "conversation": "Number of messages, tools, tool calls or images.",
        "modality": "The request has content of one of these kinds besides text, anywhere in the conversation.",
        "user": "The client is this user, or one of a list. Needs `identity`, as all attributes of clients.",
        "team": "The client is in this team, or in one of a list.",
        "role": "The client has this role, or one of a list. A mapping tests users as well.",
        "tenant": "The client belongs to this tenant, or to one of a list.",
        "claims": "A claim of `identity.jwt.claims` or an attribute of `claims` elsewhere has this value, or one of a "
        "list. Exactly one claim.",
        "pii": "Personal data in the conversation.",
        "jailbreak": "An attack that a detector recognises.",
        "label": "The label that a classifier with `task: labels` gives the request.",
        "of": "What `keywords`, `embedding`, `language`, `complexity` and `label` read: the person's `ask`, or all "
        "texts of the `request`, including instructions, documents and results of tools.",
    },
    "signals.*.embedding": {
        "to": "Sentences to compare with.",
        "threshold": "Smallest cosine similarity at which the signal holds. By default the one that was measured for "
        "the encoder: 0.45 for all-MiniLM-L6-v2; 0.6 with `engine: semantic-router`.",
        "aggregate": "Compare with the most similar sentence, or with the mean of all similarities.",
    },
    "signals.*.context": {
        "min": "Smallest number of tokens.",
        "max": "Largest number of tokens.",
    },
    "signals.*.complexity": {
        "hard": "Sentences that are typical of difficult requests.",
        "easy": "Sentences that are typical of easy requests.",
        "level": "The level at which the signal holds.",
        "threshold": "Margin between the similarity to `hard` and to `easy` sentences.",
    },
    "signals.*.structure": {
        "min": "Smallest number of occurrences.",
        "max": "Largest number of occurrences.",
        "pattern": "Regular expression (RE2 syntax) to count.",
        "keywords": "Words to count, all together.",
    },
    "signals.*.conversation": {
        "min": "Smallest number.",
        "max": "Largest number.",
        "of": "What is counted.",
        "role": "Count only messages of this role.",
    },
    "signals.*.role": {
        "users": "Users.",
        "groups": "Roles, which identity providers often call groups.",
    },
    "signals.*.pii": {
        "types": "Types of personal data, as listed in the guards reference.",
        "detector": "Classifier of the task `pii`, for types that patterns cannot find.",
        "threshold": "Smallest probability of a finding of the detector.",
    },
    "signals.*.jailbreak": {
        "detector": "Classifier of the task `jailbreak`.",
        "threshold": "Smallest probability of an attack at which the signal holds. The default is 0.7 for a "
        "checkpoint, and the classifier's threshold for a head.",
    },
    "signals.*.label": {
        "classifier": "Name of the classifier.",
        "is": "A label, or a list. `other` is a request that gets no label.",
    },
    "guards.*": {
        "detector": "Classifier that the guard uses: task `jailbreak` alone, or task `pii` with `types`.",
        "types": "Types of personal data to look for.",
        "patterns": "`builtin` for credentials, `injection` for the structure of prompt injections, or a list of RE2 "
        "regular expressions.",
        "threshold": "Smallest probability of a finding of the detector. The default is 0.7 for a checkpoint, and the "
        "classifier's threshold for a head.",
        "action": "What happens to a request or response with a finding.",
        "model": "Model for `action: route`.",
        "on": "What the guard reads.",
        "onError": "What happens if the guard cannot finish in time or its detector fails: reject or pass.",
        "maxTokens": "Longest text that the guard reads, at four bytes per token. Longer text is rejected (413). "
        "By default the largest `context` of the models that the guard applies to, and at least 8192; the whole of "
        "`router.maxBody` if one of them has no `context` and the guard no `detector`.",
        "unreadable": "What happens to content without readable text, such as images: reject (415) or pass.",
        "unmask": "Replace placeholders in the response by the original values. Only with `action: mask` on requests.",
        "except": "Requests to which the guard does not apply.",
    },
    "guards.*.except": {"models": "Models that the guard does not apply to."},
    "routes[]": {
        "name": "Name of the route. It appears in logs, metrics and response headers.",
        "when": "The condition, or `always`.",
        "model": "The model or adapter that answers.",
        "split": "Models with their shares in per cent, which must add up to 100.",
        "respond": "A fixed answer, without a model.",
        "priority": "Routes with a higher priority are tried first, then those earlier in the file.",
        "reasoning": "Switch reasoning on or off.",
        "effort": "Reasoning effort, if the model family has levels. It implies `reasoning: true`.",
        "systemPrompt": "System prompt: a text, which replaces the client's, or a mapping.",
        "headers": "Changes of the request headers.",
        "cache": "Store and reuse responses.",
        "tools": "Tools that the model may see: `none`, or a mapping.",
        "params": "Limits on request parameters.",
        "fallback": "Models that are asked, in this order, if the model of the route fails before its response begins.",
        "retry": "How often and after which failures a request is sent again.",
        "stickiness": "How a conversation leaves this route, where that differs from the policy's `stickiness`.",
    },
    "routes[].when": {
        "category": "The request is of this category.",
        "signal": "This signal holds.",
        "all": "All conditions hold.",
        "any": "At least one condition holds.",
        "not": "The condition does not hold.",
    },
    "routes[].systemPrompt": {
        "text": "The system prompt.",
        "mode": "`replace` replaces the client's system prompt, `insert` puts the text before it.",
    },
    "routes[].headers": {
        "set": "Headers to set, with their values.",
        "remove": "Headers to remove.",
    },
    "routes[].cache": {
        "similarity": "Smallest cosine similarity of the last turn for reusing a response. Without it only identical "
        "requests match.",
        "ttl": "How long a response is stored, in whole seconds.",
        "scope": "Who shares stored responses: each client has its own (`user`), those of a team or a tenant share "
        "them (`team`, `tenant`, which need `identity`), or all do (`global`).",
    },
    "routes[].tools": {
        "allow": "Tools that are kept; all others are removed.",
        "block": "Tools that are removed.",
    },
    "routes[].params": {
        "maxTokens": "Upper limit of the completion length in tokens.",
        "maxN": "Upper limit of `n` and `best_of`.",
        "block": "Request parameters to remove.",
    },
    "default": {
        "model": "The model or adapter.",
        "reasoning": "Switch reasoning on or off. Off unless set.",
        "effort": "Reasoning effort, if the model family has levels. It implies `reasoning: true`.",
        "systemPrompt": "System prompt: a text, which replaces the client's, or a mapping, as of a route.",
        "headers": "Changes of the request headers, as of a route.",
        "tools": "Tools that the model may see: `none`, or a mapping, as of a route.",
        "params": "Limits on request parameters, as of a route.",
        "fallback": "Models that are asked if the default model fails, as of a route.",
        "retry": "How often and after which failures a request is sent again, as of a route.",
    },
    "routes[].retry": {
        "attempts": "How often a request is sent at most, the first time included. The models are asked in their "
        "order, which then begins again. Without it, each model of the route and its `fallback` is asked once.",
        "on": "The failures after which a request is sent again: no connection (`connect`), a status of 500 to 599 "
        "(`5xx`), `429`, no response within `firstByte` (`timeout`), a connection that broke (`reset`). Default "
        "`[connect, 5xx, 429]`: after these no model works on the request any more.",
        "budget": "Share in per cent of the requests in flight that may be further attempts, at each proxy; three are "
        "always allowed. A failure beyond it goes to the client.",
        "firstByte": "Time in which a response must begin, for each attempt. Needs `timeout` in `on`.",
    },
    "assertions[]": {
        "never": "No request may be like this.",
        "always": "Every request of this kind must be like this.",
    },
    "assertions[].never": {
        "category": "Restrict the assertion to requests of this category.",
        "signal": "Restrict the assertion to requests for which this signal holds.",
        "user": "Restrict the assertion to this user, or to users of a list.",
        "team": "Restrict the assertion to this team, or to teams of a list.",
        "role": "Restrict the assertion to clients with this role, or with one of a list.",
        "tenant": "Restrict the assertion to this tenant, or to tenants of a list.",
        "claims": "Restrict the assertion to clients with these claims: a value or a list each.",
        "to": "Models that requests are sent to. `external` means every model outside the cluster.",
        "with": "Guards of which one finds something in the request that reaches the model all the same. Only in "
        "`never`.",
        "without": "Guards of which at least one does not apply. Only in `never`.",
        "through": "Guards that all apply. Only in `always`.",
    },
    "assertions[].never.to": {
        "inside": "Models with an endpoint in this region, or in one of a list.",
        "outside": "Models with an endpoint that is not in this region, or in none of a list.",
    },
    "limits[]": {
        "name": "Name for messages and metrics. Defaults to one made of `per`, unit and `window`.",
        "per": "What has a count of its own: `team`, `key` (of `identity.apiKeys`), `model`, `route`, `client` (the "
        "user, or the sender's address without `identity`), or a combination of a list.",
        "for": "The requests that count. Defaults to all.",
        "tokens": "Tokens of prompts and completions. Exactly one of `tokens`, `requests` and `dollars`.",
        "requests": "Number of requests.",
        "dollars": "Cost by `price` of the models, in its currency.",
        "window": "The window of time. Windows begin at whole minutes, hours, days, or 30 days since 1970, in UTC.",
        "over": "What becomes of requests above the limit: `deny` refuses them with 429, `{route: MODEL}` sends them "
        "to another model, whose requests the limit does not count.",
        "countedBy": "`router`: each replica of the router allows its share. `gateway`: all proxies of the gateway "
        "count together, in `gateway.redis`; on targets of Envoy Gateway, tokens and dollars with Agent Router only.",
    },
    "limits[].for": {
        "user": "Requests of this user, or of users of a list.",
        "team": "Requests of this team, or of teams of a list.",
        "role": "Requests of clients with this role, or with one of a list.",
        "tenant": "Requests of this tenant, or of tenants of a list.",
        "claims": "Requests of clients with these claims: a value or a list each.",
        "model": "Requests to this model, or to models of a list.",
        "route": "Requests that take this route, or routes of a list. `default` is none of them.",
    },
    "limits[].over": {"route": "Model for requests above the limit."},
    "stickiness": {
        "mode": "`conversation`: a request has the route of the ask that it continues. `escalate`: as `conversation`, "
        "but only to models that come later in `order`. `none`: each request is decided by its last turn alone.",
        "order": "The models of `mode: escalate`, the lowest first.",
        "margin": "How much more probable the category of a new ask must be than that of the present route. If the "
        "model has `price.cachedPrompt`, the margin applies to the share of the prompt that a switch would compute "
        "again, times the discount. Default `0`.",
        "keyHeader": "Request header that identifies the conversation, for the shares of a `split`.",
        "key": "Attribute of the client by which the shares of a `split` are drawn, instead of by the conversation: "
        "all requests of a user, team or tenant go to the same model. Needs `identity`.",
        "stateHeader": "Request header that names the model which keeps the state that a request refers to, such as "
        "`previous_response_id`.",
    },
    "routes[].stickiness": {
        "mode": "As in `stickiness.mode`, for conversations that are on this route.",
        "margin": "As in `stickiness.margin`, for conversations that are on this route.",
    },
    "tests[]": {
        "prompt": "Text of the only user message.",
        "messages": "Messages of the request, for APIs that have some.",
        "request": "Whole body of the request. `model` is optional in it.",
        "conversation": "Turns, each a request that repeats the turns before it. At most 64.",
        "path": "Path of the API.",
        "headers": "Further request headers.",
        "model": "Model name that the client sends. Defaults to the first of `autoModels`.",
        "as": "The client that sends it. Defaults to the user `test`. Only with `identity`.",
        "expect": "The expected decision. Required, except in a `conversation`.",
    },
    "tests[].as": {
        "user": "User.",
        "team": "Team.",
        "role": "Role, or a list of roles.",
        "tenant": "Tenant.",
        "claims": "Values of other claims.",
    },
    "tests[].conversation[]": {
        "prompt": "What the person says.",
        "messages": "Messages that are added as they are, such as the call of a tool and its result.",
        "reply": "What the assistant answers before the next turn.",
        "expect": "The expected decision. Optional, but one turn must have it.",
    },
    "tests[].expect": {
        "category": "Expected category.",
        "route": "Expected route; `default` if no route matches.",
        "model": "Expected model.",
        "guards": "Exactly the guards that find something. An empty list means none.",
        "error": "Code of the response with which the router refuses the request.",
    },
    "environments.*": {
        "target": "The gateway stack.",
        "versions": "Release profile or releases, as in `gateway.versions`.",
        "simulate": "Replace vLLM servers by a simulator that needs no GPU.",
        "replicas": "Number of pods by endpoint; the key `router` means the router.",
        "images": "Images by endpoint; the key `router` means the router.",
        "resources": "Resource requests and limits by endpoint; the key `router` means the router.",
        "device": "Device of all checkpoints of the router.",
        "rollout": "Another `router.rollout`, whole; or `none`.",
        "server": "API server of the environment's cluster, if it is not `gitops.server`. Environments with the same "
        "objects need one each (VSR303).",
        "gateway": "Another Gateway.",
        "region": "Where the cluster of the environment is.",
        "candidate": "Another candidate than `router.candidate`, or one only here.",
        "identity": "Another issuer of tokens. Only with `identity.jwt`.",
        "host": "The machine of the target `compose`.",
        "clusters": "Clusters of `gitops.clusters` that run the environment, each with what differs there. Every one "
        "gets an overlay of its own, `<environment>-<cluster>`.",
    },
    "environments.*.candidate": {
        "policy": "As in `router.candidate`.",
        "share": "As in `router.candidate`.",
    },
    "environments.*.clusters.*": {
        "replicas": "As in the environment.",
        "images": "As in the environment.",
        "resources": "As in the environment.",
        "placement": "As in the environment.",
        "device": "As in the environment.",
        "gateway": "As in the environment.",
        "identity": "As in the environment.",
        "region": "Where the cluster is.",
    },
    "environments.*.host": {
        "bind": "IPv4 address of the machine on which listeners are published. `0.0.0.0` means all.",
        "endpoints": "Host and port of endpoints that run elsewhere, by name. `localhost` means the machine itself.",
        "image": "Image of Envoy. Defaults to that of the release that the compiler knows.",
    },
    "environments.*.identity": {
        "issuer": "As in `identity.jwt`.",
        "audiences": "As in `identity.jwt`.",
        "jwksUri": "As in `identity.jwt`.",
    },
    "environments.*.resources.*": {
        "requests": "Resource requests by resource name.",
        "limits": "Resource limits by resource name.",
    },
    "environments.*.gateway": {
        "name": "Name of the Gateway.",
        "namespace": "Namespace of the Gateway.",
        "hostnames": "Other hostnames by listener, as in `gateway.listeners`.",
    },
}
for _path, _fields in (*backend_descriptions.DESCRIPTIONS.items(), *rollout_descriptions.DESCRIPTIONS.items()):
    DESCRIPTIONS[_path] = DESCRIPTIONS.get(_path, {}) | _fields
