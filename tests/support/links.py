"""References between objects held against each other: what a schema cannot see and an API server does not ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

from support import attached
from support.workloads import deployed
from vsr_compiler import ir
from vsr_compiler.deploy.policy_assumptions import existing_objects
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.common import attempts
from vsr_schemas.headers import AI_MODEL, ATTEMPTS, DECIDED, DECIDED_VALUE, SELECTED_MODEL, STRIPPED

Body = dict[str, Any]
H2 = {"grpc", "http2", "kubernetes.io/h2c"}
"""What a Service's port must say for Envoy to speak HTTP/2 to it."""
POOLS = "inference.networking.k8s.io"
ROUTES = ("HTTPRoute", "AIGatewayRoute")
ENVOY = "gateway.envoyproxy.io"
OWNER = "gateway.envoyproxy.io/owning-gateway-name"
STACK = "vllm-stack-router-service"
BEFORE_BUFFER = "http_filters[?(@.name=='envoy.filters.http.buffer')]"
"""How a patch of Envoy Gateway's inserts a filter behind authentication, before the filter of the request buffer."""


class Links:
    """The objects of one target, and the Services and pods that the policy says exist already."""

    def __init__(self, bodies: list[Body], policy: ir.Policy) -> None:
        self.bodies = bodies = deployed(bodies)
        self.policy = policy
        self.by_name = {(b["kind"], b["metadata"].get("namespace", ""), b["metadata"]["name"]): b for b in bodies}
        if policy.attachment is not None:  # the Gateway is that of others
            for body in attached.gateway(_written(policy), policy.attachment.controller):
                metadata = body["metadata"]
                self.by_name.setdefault((body["kind"], metadata.get("namespace", ""), metadata["name"]), body)
        self.others_pools = {
            ("InferencePool", each.service.namespace, each.service.name)
            for each in policy.endpoints
            if each.existing_pool is not None
        }
        self.services = {
            (each.service.namespace, each.service.name, each.service.port)
            for each in policy.endpoints
            if each.server is None and each.pods is None and each.provider is None
        }
        self.existing = set(existing_objects(policy))
        self.pods = [
            (each.service.namespace, dict(each.pods.labels), each.pods.port) for each in policy.endpoints if each.pods
        ]
        # Those of the production stack are its chart's, with the labels that the values give them.
        stack = {"environment": policy.name, "release": "vllm-stack", "component": "engine"}
        self.pods += [(namespace, stack, 8000) for namespace, name, _ in self.services if name == STACK]
        store = policy.router.cache
        if store is not None and store.pods is not None:
            self.pods.append((store.namespace(policy.router.grpc.namespace), dict(store.pods), store.port))

    def problems(self) -> list[str]:
        """Every broken link, as sentences; none is what a test wants."""
        rules = [self.unique, self.routes, self.grants, self.pools, self.pickers, self.rules, self.filters]
        rules += [self.hosts, self.selectors, self.choices, self.workloads, self.bindings, self.names]
        rules += [self.patches, self.places, self.attached, self.backends, self.agentgateway]
        return [problem for rule in rules for problem in rule()]

    def of(self, kind: str) -> Iterator[tuple[str, str, Body]]:
        """The objects of a kind with namespace and name."""
        for (found, namespace, name), body in self.by_name.items():
            if found == kind:
                yield namespace, name, body

    def templates(self, namespace: str, labels: Body) -> list[Body]:
        """The pod templates in a namespace that bear the labels."""
        found = [b["spec"]["template"] for ns, _, b in self.of("Deployment") if ns == namespace]
        return [each for each in found if labels.items() <= each["metadata"]["labels"].items()]

    def known_pods(self, namespace: str, labels: Body) -> list[int]:
        """The ports of pods that exist already and bear the labels."""
        return [port for ns, own, port in self.pods if ns == namespace and labels.items() <= own.items()]

    def unique(self) -> Iterator[str]:
        """L01: no identity twice."""
        if len({(b["kind"], b["metadata"].get("namespace"), b["metadata"]["name"]) for b in self.bodies}) != len(
            self.bodies
        ):
            yield "two objects share an identity"

    def routes(self) -> Iterator[str]:
        """L02, L16, L17: parents and backends exist, a listener admits the route, one pool a rule."""
        for namespace, name, body in self.all_routes():
            for parent in body["spec"]["parentRefs"]:
                gateway = self.by_name.get(("Gateway", parent["namespace"], parent["name"]))
                listeners = {each["name"]: each for each in gateway["spec"]["listeners"]} if gateway else {}
                listener = listeners.get(parent["sectionName"])
                if listener is None:
                    yield f"{name}: no such listener"
                elif namespace not in _admitted(listener, parent["namespace"]):
                    yield f"{name}: the listener does not admit its namespace"
            for rule in body["spec"]["rules"]:
                kinds = [_full(body, ref)["kind"] for ref in rule.get("backendRefs", [])]
                if "InferencePool" in kinds and len(kinds) > 1:
                    yield f"{name}: a pool shares a rule"
                refs = [_full(body, ref) for ref in rule.get("backendRefs", [])]
                yield from (f"{name}: {text}" for ref in refs for text in self._backend(ref))

    def all_routes(self) -> Iterator[tuple[str, str, Body]]:
        """Routes of either kind."""
        for kind in ROUTES:
            yield from self.of(kind)

    def _backend(self, ref: Body) -> Iterator[str]:
        if ref["kind"] == "Hostname":
            yield from self._hostname(ref)
            return
        key = (ref["kind"], ref["namespace"], ref["name"])
        if key in self.others_pools:
            return
        if ref["kind"] in {"InferencePool", "AIServiceBackend", "Backend", "AgentgatewayBackend"}:
            if key not in self.by_name or not self.by_name[key]["apiVersion"].startswith(f"{ref['group']}/"):
                yield f"no pool {ref['name']}" if ref["kind"] == "InferencePool" else f"no {ref['kind']} {ref['name']}"
        elif (ref["namespace"], ref["name"], ref["port"]) not in self.services:
            ports = [each["port"] for each in self.by_name[key]["spec"]["ports"]] if key in self.by_name else []
            if ref["port"] not in ports:
                yield f"no Service {ref['name']}:{ref['port']}"

    def _hostname(self, ref: Body) -> Iterator[str]:
        """A provider's host is known at this port; Istio refuses a namespace with it."""
        entries = [body for _, _, body in self.of("ServiceEntry") if ref["name"] in body["spec"]["hosts"]]
        ports = {port["number"]: port["protocol"] for body in entries for port in body["spec"]["ports"]}
        if len(entries) != 1 or ports.get(ref["port"]) != "HTTPS":
            yield f"no host {ref['name']}:{ref['port']}"
        if ref["group"] != "networking.istio.io" or "namespace" in ref:
            yield f"{ref['name']}: a host has no namespace"

    def hosts(self) -> Iterator[str]:
        """A host outside is spoken to over TLS, under its own name, by the gateway only, and by some route."""
        used = {ref["name"] for _, _, body in self.of("HTTPRoute") for ref in _refs(body) if ref["kind"] == "Hostname"}
        homes = {namespace for namespace, _, _ in self.of("Gateway")}
        for namespace, name, body in self.of("ServiceEntry"):
            (host,) = body["spec"]["hosts"]
            rules = [
                rule["spec"]["trafficPolicy"]["tls"]
                for ns, _, rule in self.of("DestinationRule")
                if ns == namespace and rule["spec"]["host"] == host
            ]
            if rules != [{"mode": "SIMPLE", "sni": host, "subjectAltNames": [host]}]:
                yield f"{name}: nothing says how to speak TLS to it"
            if namespace not in homes or body["spec"]["exportTo"] != ["."]:
                yield f"{name}: not where the gateway, and nobody else, sees it"
            if host not in used:
                yield f"{name}: known for nothing"

    def grants(self) -> Iterator[str]:
        """L03: what crosses namespaces is granted, and nothing else is."""
        needed = {
            (namespace, ref["namespace"], ref["group"], ref["kind"], ref["name"])
            for namespace, _, body in self.of("HTTPRoute")
            for rule in body["spec"]["rules"]
            for ref in rule.get("backendRefs", [])
            if ref.get("namespace", namespace) != namespace
        }
        needed |= {
            (namespace, ref["namespace"], ref["group"], ref["kind"], ref["name"])
            for namespace, _, body in self.of("Gateway")
            for listener in body["spec"]["listeners"]
            for ref in listener.get("tls", {}).get("certificateRefs", [])
            if ref["namespace"] != namespace
        }
        needed |= {
            (namespace, ref["namespace"], ref["group"], ref["kind"], ref["name"])
            for namespace, _, ref in self._processors()
            if ref["namespace"] != namespace
        }
        given = {
            (source["namespace"], namespace, target["group"], target["kind"], target["name"])
            for namespace, _, body in self.of("ReferenceGrant")
            for source in body["spec"]["from"]
            for target in body["spec"]["to"]
        }
        yield from (f"not granted: {each}" for each in needed - given)
        yield from (f"granted for nothing: {each}" for each in given - needed)

    def _processors(self) -> Iterator[tuple[str, str, Body]]:
        """What policies of agentgateway ask before routing."""
        for namespace, name, body in self.of("AgentgatewayPolicy"):
            processor = body["spec"].get("traffic", {}).get("extProc")
            if processor is not None:
                yield namespace, name, processor["backendRef"]

    def agentgateway(self) -> Iterator[str]:
        """L02, L08, L09: a policy has its targets, and its processor is a Service that speaks HTTP/2."""
        for namespace, name, ref in self._processors():
            service = self.by_name.get(("Service", ref["namespace"], ref["name"]))
            ports = [] if service is None else [p for p in service["spec"]["ports"] if p["port"] == ref["port"]]
            if [port["appProtocol"] for port in ports] not in [[protocol] for protocol in H2]:
                yield f"{namespace}/{name}: its processor is no Service that speaks HTTP/2"
        for namespace, name, body in self.of("AgentgatewayPolicy"):
            for ref in body["spec"]["targetRefs"]:
                key = (ref["kind"], namespace, ref["name"])
                known = key in self.by_name or any((namespace, ref["name"]) == one[:2] for one in self.services)
                if not known:
                    yield f"{name}: no {ref['kind']} {ref['name']}"
                sections = [item["name"] for item in self.by_name.get(key, {}).get("spec", {}).get("listeners", [])]
                if "sectionName" in ref and ref["sectionName"] not in sections:
                    yield f"{name}: no listener {ref['sectionName']}"
        for namespace, name, body in self.of("AgentgatewayBackend"):
            secret = body["spec"].get("policies", {}).get("auth", {}).get("secretRef")
            keys = {(item.api_key.secret, item.api_key.key) for item in self.policy.endpoints if item.api_key}
            if secret is not None and (secret["name"], secret["key"]) not in keys:
                yield f"{name}: no key {secret['key']} of the Secret {secret['name']}"
            if secret is not None and namespace != self.policy.router.grpc.namespace:
                yield f"{name}: its Secret is in another namespace"

    def pools(self) -> Iterator[str]:
        """L05: a pool's pods exist, listen on its port, and are in no other pool."""
        seen: list[tuple[str, Body]] = []
        for namespace, name, body in self.of("InferencePool"):
            labels = body["spec"]["selector"]["matchLabels"]
            ports = {port for each in self.templates(namespace, labels) for port in _container_ports(each).values()}
            ports |= set(self.known_pods(namespace, labels))
            yield from (
                f"{name}: no pod on {p['number']}" for p in body["spec"]["targetPorts"] if p["number"] not in ports
            )
            if any(ns == namespace and (labels.items() <= o.items() or o.items() <= labels.items()) for ns, o in seen):
                yield f"{name}: its pods may be another pool's"
            seen.append((namespace, labels))

    def pickers(self) -> Iterator[str]:
        """L06, L07, L08, L21: a picker knows its pool, its plugins, its port and how it is spoken to."""
        for namespace, name, body in self.of("InferencePool"):
            ref = body["spec"]["endpointPickerRef"]
            service = self.by_name.get(("Service", namespace, ref["name"]))
            port = (
                next((p for p in service["spec"]["ports"] if p["port"] == ref["port"]["number"]), None)
                if service
                else None
            )
            if service is None or port is None:
                yield f"{name}: no picker Service"
                continue
            if port["appProtocol"] not in H2:
                yield f"{name}: its picker is not spoken to by HTTP/2"
            for template in self.templates(namespace, service["spec"]["selector"]):
                flags = _flags(template)
                wanted = {"pool-name": name, "pool-namespace": namespace, "grpc-port": str(ref["port"]["number"])}
                yield from (f"{name}: --{k} is {flags.get(k)}" for k, v in wanted.items() if flags.get(k) != v)
                yield from (f"{name}: {text}" for text in self._config(namespace, template, flags))
                health = {probe["grpc"]["service"] for probe in _probes(template)}
                if not health <= {"liveness", "readiness"}:
                    yield f"{name}: with standbys, its probes name no service that answers"
                yield from (f"{name}: {text}" for text in self._tls(namespace, ref["name"], flags))

    def _config(self, namespace: str, template: Body, flags: dict[str, str]) -> Iterator[str]:
        folder, _, key = flags["config-file"].rpartition("/")
        mounts = {m["mountPath"]: m["name"] for m in template["spec"]["containers"][0]["volumeMounts"]}
        volume = next(v for v in template["spec"]["volumes"] if v["name"] == mounts[folder])
        data = self.by_name[("ConfigMap", namespace, volume["configMap"]["name"])]["data"]
        if key not in data:
            yield f"no configuration {key}"
            return
        config = YAML(typ="safe").load(data[key])
        declared = {plugin.get("name", plugin["type"]) for plugin in config["plugins"]}
        used = {ref["pluginRef"] for profile in config["schedulingProfiles"] for ref in profile["plugins"]}
        yield from (f"plugin {each} is not declared" for each in used - declared)

    def _tls(self, namespace: str, name: str, flags: dict[str, str]) -> Iterator[str]:
        host = f"{name}.{namespace}.svc.cluster.local"
        found = [b for ns, _, b in self.of("DestinationRule") if b["spec"]["host"] == host]
        modes = {each["spec"]["trafficPolicy"]["tls"]["mode"] for each in found}
        secure = flags.get("secure-serving", "true") == "true"
        if any(self.of("EnvoyFilter")) and modes != ({"SIMPLE"} if secure else set()):
            yield f"TLS differs between {name} and its DestinationRule"
        if any(self.of("AIGatewayRoute")) and (modes or not secure):
            yield f"AI Gateway speaks TLS to {name}, and to no rule of Istio's"

    def rules(self) -> Iterator[str]:
        """L22: a DestinationRule stands where the gateway looks first, and its host is a Service or a host outside."""
        hosts = {f"{name}.{namespace}.svc.cluster.local" for namespace, name, _ in self.of("Service")}
        hosts |= {host for _, _, body in self.of("ServiceEntry") for host in body["spec"]["hosts"]}
        for namespace, name, body in self.of("DestinationRule"):
            if namespace != self.policy.gateway.namespace:
                yield f"{name}: the gateway does not see it"
            if body["spec"]["host"] not in hosts:
                yield f"{name}: no host {body['spec']['host']}"

    def filters(self) -> Iterator[str]:
        """L08, L09, L19: the filter has a name of its own, and its cluster is a Service that speaks HTTP/2."""
        for namespace, name, body in self.of("EnvoyFilter"):
            for ref in body["spec"]["targetRefs"]:
                if (ref["kind"], namespace, ref["name"]) not in self.by_name:
                    yield f"{name}: no {ref['kind']} {ref['name']}"
            values = [patch["patch"]["value"] for patch in _inserted(body)]
            if any(value["name"].startswith("envoy.filters.http.") for value in values):
                yield f"{name}: Istio would re-point its filter"
            by_port: dict[int, list[Body]] = {}
            for patch in _inserted(body):
                number = patch["match"]["listener"].get("portNumber", 0)
                by_port.setdefault(number, []).append(patch["patch"]["value"])
            if len({_asked(own) for own in by_port.values()}) != 1:
                yield f"{name}: ports ask different routers"
            _, port, _, host = _asked(next(iter(by_port.values()))).split("|")
            service, where = host.split(".")[:2]
            found = self.by_name.get(("Service", where, service))
            if found is None or [p["appProtocol"] in H2 for p in found["spec"]["ports"] if p["port"] == int(port)] != [
                True
            ]:
                yield f"{name}: no HTTP/2 port {port} at {host}"

    def selectors(self) -> Iterator[str]:
        """Services and whatever selects pods lead to some, by ports that they have."""
        for namespace, name, body in self.of("Service"):
            chosen = body["spec"]["selector"]
            known = self.known_pods(namespace, chosen)
            ports: Body = {}
            for template in self.templates(namespace, chosen):
                ports |= _container_ports(template)
            for port in body["spec"]["ports"]:
                if port["targetPort"] not in {*ports, *ports.values(), *known}:
                    yield f"Service {name}: nothing at {port['targetPort']}"

    def choices(self) -> Iterator[str]:
        """Policies, budgets and monitors select something, and a scaler has what it scales."""
        for kind in ("NetworkPolicy", "PodDisruptionBudget", "PodMonitor"):
            for namespace, name, body in self.of(kind):
                spec = body["spec"]
                labels = (spec.get("podSelector") or spec["selector"])["matchLabels"]
                gateway = labels.get("gateway.networking.k8s.io/gateway-name")
                if (
                    labels.get(OWNER)
                    and ("Gateway", labels[f"{ENVOY}/owning-gateway-namespace"], labels[OWNER]) in self.by_name
                ):
                    continue
                if gateway is not None and ("Gateway", namespace, gateway) in self.by_name:
                    continue
                if not self.templates(namespace, labels) and not self.known_pods(namespace, labels):
                    yield f"{kind} {name}: selects nothing"
        for namespace, name, body in self.of("HorizontalPodAutoscaler"):
            if ("Deployment", namespace, body["spec"]["scaleTargetRef"]["name"]) not in self.by_name:
                yield f"HorizontalPodAutoscaler {name}: scales nothing"

    def workloads(self) -> Iterator[str]:
        """A pod's labels are its Deployment's; its account, configuration and volumes exist and are mounted."""
        for namespace, name, body in self.of("Deployment"):
            template, spec = body["spec"]["template"], body["spec"]["template"]["spec"]
            if not body["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items():
                yield f"{name}: its selector does not match its pods"
            account = spec.get("serviceAccountName")
            if account and ("ServiceAccount", namespace, account) not in self.by_name:
                yield f"{name}: no account {account}"
            volumes = {each["name"]: each for each in spec.get("volumes", [])}
            for volume in volumes.values():
                claim = volume.get("persistentVolumeClaim", {}).get("claimName")
                config = volume.get("configMap", {}).get("name")
                if claim and ("PersistentVolumeClaim", namespace, claim) not in {*self.by_name, *self.existing}:
                    yield f"{name}: no claim {claim}"
                if config and ("ConfigMap", namespace, config) not in self.by_name:
                    yield f"{name}: no configuration {config}"
            mounts = {m["name"] for c in spec["containers"] for m in c.get("volumeMounts", [])}
            if mounts != set(volumes):
                yield f"{name}: volumes and mounts differ"

    def bindings(self) -> Iterator[str]:
        """L15: roles and subjects exist, a ClusterRoleBinding's subjects have namespaces, cluster rights are wide."""
        for kind, role in (("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")):
            for namespace, name, body in self.of(kind):
                if (role, namespace, body["roleRef"]["name"]) not in self.by_name:
                    yield f"{name}: no {role}"
                for subject in body["subjects"]:
                    if ("ServiceAccount", subject["namespace"], subject["name"]) not in self.by_name:
                        yield f"{name}: no account {subject['name']}"
        for _, name, body in self.of("Role"):
            if any("tokenreviews" in rule.get("resources", []) for rule in body["rules"]):
                yield f"{name}: token reviews have no effect in a Role"

    def names(self) -> Iterator[str]:
        """L04: routes are on exactly the names that the router writes, and servers of ours bear them."""
        routed: dict[str, tuple[str, list[Body]]] = {}
        for name, refs, headers in self._matches():
            alias = headers.get(SELECTED_MODEL)
            if name.endswith("-on-failure") and alias is None and self.policy.router.fails_open:
                continue
            if headers.get(DECIDED) != DECIDED_VALUE:
                yield f"{name}: a client could choose the route where the router is not asked"
            if alias is None or alias in routed:
                yield f"{name}: a rule that no router chooses, or another's"
            else:
                routed[alias] = (headers.get(AI_MODEL, alias), refs)
        chains = {chain.name for chain in attempts.chains(self.policy)}
        if self.policy.attachment is not None and not routed:
            return  # the routes are those of others
        if set(routed) - chains != {model.name for model in self.policy.models}:
            yield f"routes are on {sorted(routed)}"
        for value, refs in routed.values():
            for ref in refs:
                requested = ref.get("modelNameOverride", value)
                if any(requested not in _served(template) for template in self._behind(ref)):
                    yield f"{value}: not served by {ref['name']}"

    def _matches(self) -> Iterator[tuple[str, list[Body], dict[str, str]]]:
        """Every match of every rule: the route's name, the rule's references in full, and the headers."""
        for _, name, body in self.all_routes():
            for rule in body["spec"]["rules"]:
                own = [each["type"] for each in rule.get("filters", [])]
                if "backendRefs" not in rule and own in (["ExtensionRef"], ["RequestRedirect"]):
                    continue  # the gateway answers by itself
                refs = [_full(body, ref) for ref in rule.get("backendRefs", [])]
                for match in rule["matches"]:
                    yield name, refs, {h["name"]: h["value"] for h in match.get("headers", [])}

    def _behind(self, ref: Body) -> list[Body]:
        """The pod templates behind a reference, by way of a backend or not."""
        target = self.by_name.get((ref["kind"], ref.get("namespace", ""), ref["name"]))
        if target is not None and ref["kind"] == "AIServiceBackend":
            target = self.by_name.get(("Backend", ref["namespace"], target["spec"]["backendRef"]["name"]))
        if target is not None and target["kind"] == "Backend":
            name, namespace, *_ = target["spec"]["endpoints"][0]["fqdn"]["hostname"].split(".")
            target = self.by_name.get(("Service", namespace, name))
        chosen = target["spec"].get("selector", {}) if target else {}
        labels = chosen.get("matchLabels", chosen)
        return self.templates(target["metadata"]["namespace"], labels) if target and labels else []

    def patches(self) -> Iterator[str]:
        """L19: the filters are in listeners of the Gateway, by Envoy Gateway's names, and ask the router."""
        for namespace, name, body in self.of("EnvoyPatchPolicy"):
            ref = body["spec"]["targetRef"]
            gateway = self.by_name.get((ref["kind"], namespace, ref["name"]))
            if gateway is None:
                yield f"{name}: no Gateway {ref['name']}"
                continue
            patches = [patch for patch in body["spec"]["jsonPatches"] if not _of_attempts(patch)]
            (found,) = [patch for patch in patches if patch["type"].endswith(".Cluster")]
            cluster, filters = found["operation"]["value"], [patch for patch in patches if patch is not found]
            known = {f"{namespace}/{ref['name']}/{each['name']}" for each in gateway["spec"]["listeners"]}
            for listener in {patch["name"] for patch in filters} - known:
                yield f"{name}: no listener {listener}"
            for listener in {patch["name"] for patch in filters}:
                values = [patch["operation"]["value"] for patch in filters if patch["name"] == listener]
                asked = _asked([value for value in values if isinstance(value, dict)])
                if not asked == cluster["name"] == found["name"] == cluster["load_assignment"]["cluster_name"]:
                    yield f"{name}: the filter asks another cluster"
            (lb,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
            address = lb["endpoint"]["address"]["socket_address"]
            service = self.by_name.get(("Service", *address["address"].split(".")[1::-1]))
            if service is None or service["spec"].get("clusterIP") != "None":
                yield f"{name}: no headless Service {address['address']}"
            elif address["port_value"] not in {
                port for each in self._pods_of(service) for port in _container_ports(each).values()
            }:
                yield f"{name}: the router's pods do not listen on {address['port_value']}"

    def places(self) -> Iterator[str]:
        """L09: the filters are inserted right before the request buffer, which there is, under names of their own."""
        for namespace, name, body in self.of("EnvoyPatchPolicy"):
            listeners = [patch for patch in body["spec"]["jsonPatches"] if patch["type"].endswith(".Listener")]
            for operation in [patch["operation"] for patch in listeners if not _of_attempts(patch)]:
                if operation.get("path") in {"/per_connection_buffer_limit_bytes", "/http_filters/0"}:
                    continue  # what a ClientTrafficPolicy says on a Gateway of ours
                if "path" in operation or not operation["jsonPath"].endswith(BEFORE_BUFFER):
                    yield f"{name}: {operation['value']['name']} is not right before the request buffer"
                if operation["value"]["name"].startswith("envoy.filters.http."):
                    yield f"{name}: AI Gateway would put its own filter before"
            gateway = body["spec"]["targetRef"]["name"]
            policies = [each["spec"] for home, _, each in self.of("BackendTrafficPolicy") if home == namespace]
            buffers = [spec for spec in policies if "requestBuffer" in spec]
            if gateway not in {ref["name"] for spec in buffers for ref in spec["targetRefs"]}:
                yield f"{name}: the filters have no place, since no request is buffered"

    def _pods_of(self, service: Body) -> list[Body]:
        return self.templates(service["metadata"]["namespace"], service["spec"]["selector"])

    def attached(self) -> Iterator[str]:
        """A Gateway of Envoy Gateway has its class, its proxies' settings, and strips what no client may send."""
        for namespace, name, body in self.of("Gateway"):
            if ("EnvoyPatchPolicy", namespace, f"{name}-{self.policy.router.grpc.name}") not in self.by_name:
                continue
            if body not in self.bodies:
                continue  # a Gateway of others
            if ("GatewayClass", "", body["spec"]["gatewayClassName"]) not in self.by_name:
                yield f"{name}: no class"
            if ("EnvoyProxy", namespace, body["spec"]["infrastructure"]["parametersRef"]["name"]) not in self.by_name:
                yield f"{name}: no settings of its proxies"
            stripped = {
                header
                for ns, _, each in self.of("ClientTrafficPolicy")
                if ns == namespace and name in {ref["name"] for ref in each["spec"]["targetRefs"]}
                for header in each["spec"]["headers"]["earlyRequestHeaders"]["remove"]
            }
            release = ENVOY_GATEWAY[self.policy.versions["envoy-gateway"]]
            if not stripped >= set(STRIPPED[: release.max_removed_headers]):
                yield f"{name}: clients may say who they are"

    def backends(self) -> Iterator[str]:
        """Backends lead to Services, or over TLS to a host by its own name, and each is led to."""
        wanted = {(namespace, body["spec"]["backendRef"]["name"]) for namespace, _, body in self.of("AIServiceBackend")}
        wanted |= {
            (namespace, ref["name"])
            for namespace, _, body in self.of("HTTPRoute")
            for ref in _refs(body)
            if ref["kind"] == "Backend"
        }
        for namespace, name, body in self.of("Backend"):
            (endpoint,) = body["spec"]["endpoints"]
            host, port = endpoint["fqdn"]["hostname"], endpoint["fqdn"]["port"]
            tls = {"insecureSkipVerify": False, "sni": host, "wellKnownCACertificates": "System"}
            if host.endswith(".svc.cluster.local"):
                service, where, *_ = host.split(".")
                yield from self._backend(
                    {"group": "", "kind": "Service", "namespace": where, "name": service, "port": port}
                )
            elif body["spec"].get("tls") != tls:
                yield f"{name}: nothing says how to speak TLS to it"
            if (namespace, name) not in wanted:
                yield f"{name}: known for nothing"
        for namespace, name, body in self.of("BackendSecurityPolicy"):
            for ref in body["spec"]["targetRefs"]:
                if (ref["kind"], namespace, ref["name"]) not in self.by_name:
                    yield f"{name}: a key for nothing"


def _asked(filters: list[Body]) -> str:
    """The cluster that the one ext_proc filter asks; empty if there is none, or if there are several."""
    asked = [each["typed_config"]["grpc_service"] for each in filters if "grpc_service" in each["typed_config"]]
    return str(asked[0]["envoy_grpc"]["cluster_name"]) if len(asked) == 1 else ""


def _full(route: Body, ref: Body) -> Body:
    """A route's reference with what it leaves out: an AIGatewayRoute's has neither group, kind nor namespace."""
    kinds = {"AIGatewayRoute": ("aigateway.envoyproxy.io", "AIServiceBackend")}
    group, kind = kinds.get(route["kind"], ("", "Service"))
    namespace = {} if ref.get("kind") == "Hostname" else {"namespace": route["metadata"]["namespace"]}
    return {"group": group, "kind": kind} | namespace | ref


def _admitted(listener: Body, own: str) -> set[str]:
    """The namespaces whose routes a listener takes, of those that it names."""
    chosen = listener["allowedRoutes"]["namespaces"]
    if chosen["from"] in {"Same", "All"}:  # a Gateway of others takes all, and ours are beside it
        return {own}
    (expression,) = chosen["selector"]["matchExpressions"]
    assert expression["key"] == "kubernetes.io/metadata.name"
    return set(expression["values"])


def _refs(route: Body) -> list[Body]:
    return [ref for rule in route["spec"]["rules"] for ref in rule.get("backendRefs", [])]


def _container_ports(template: Body) -> dict[str, int]:
    spec = template["spec"]
    containers = [*spec["containers"], *spec.get("initContainers", [])]
    return {port["name"]: port["containerPort"] for each in containers for port in each.get("ports", [])}


def _flags(template: Body) -> dict[str, str]:
    args = template["spec"]["containers"][0]["args"]
    return dict(arg.removeprefix("--").split("=", 1) for arg in args)


def _probes(template: Body) -> list[Body]:
    container = template["spec"]["containers"][0]
    return [container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")]


def _inserted(envoy_filter: Body) -> list[Body]:
    """The patches that insert filters, but for Istio's own for pickers, which may be put back behind ours."""
    patches = [patch for patch in envoy_filter["spec"]["configPatches"] if patch["applyTo"] == "HTTP_FILTER"]
    found = [patch for patch in patches if patch["patch"]["operation"] != "REMOVE"]
    configs = [patch["patch"]["value"]["typed_config"].get("grpc_service", {}) for patch in found]
    theirs = {"envoy_grpc": {"cluster_name": "dummy"}, "timeout": "10s"}
    return [patch for patch, config in zip(found, configs, strict=True) if config != theirs]


def _written(policy: ir.Policy) -> Body:
    """The section `gateway` of a policy, as far as it says what a Gateway of others has."""
    own = policy.gateway
    listeners = [{"name": one.name, "port": one.port, "tls": one.tls is not None} for one in own.listeners]
    return {"gateway": {"name": own.name, "namespace": own.namespace, "listeners": listeners}}


def _of_attempts(patch: Body) -> bool:
    """Whether a patch is for routes with several attempts: `support.consumers.attempts` executes these."""
    return patch["name"].startswith(ATTEMPTS) or patch["type"].endswith(".RouteConfiguration")


def _served(template: Body) -> set[str]:
    """The names that a server bears by itself, and those of its adapters."""
    names: set[str] = set()
    flag = ""
    for arg in template["spec"]["containers"][0]["args"]:
        if arg.startswith("--"):
            flag = arg
        elif flag == "--served-model-name":
            names.add(arg)
        elif flag == "--lora-modules":
            names.add(YAML(typ="safe").load(arg)["name"] if arg.startswith("{") else arg.split("=")[0])
    return names
