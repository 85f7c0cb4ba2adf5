"""Descriptions of placement, providers and keys; see ``descriptions``."""

from __future__ import annotations

PLACEMENT: dict[str, str] = {
    "nodeSelector": "Labels that the nodes of the pods have.",
    "tolerations": "Taints that the pods tolerate, with the fields of Kubernetes.",
    "affinity": "Nodes and other pods that the pods are near to or apart from.",
    "topologySpread": "How the pods are spread. It replaces the spread over nodes.",
    "runtimeClass": "RuntimeClass of the pods.",
    "priorityClass": "PriorityClass of the pods.",
    "pullSecrets": "Secrets for pulling images, in the namespace of the pods.",
    "env": "Environment variables of the main container: values, or references to keys.",
    "volumes": "Further volumes of the main container.",
}
STORED = PLACEMENT | {"storageClass": "StorageClass of the claim that the compiler emits. Defaults to the cluster's."}
"""Placement of pods with a volume that the compiler writes."""
RESOURCES = {
    "resources": "Resource requests and limits, which replace the defaults one by one. Devices need equal ones."
}
AUTOSCALING = {"autoscaling": "Bounds of the component `autoscaling`, which overlays may include."}

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "router": STORED | RESOURCES | AUTOSCALING,
    "router.autoscaling": {
        "min": "Least number of pods. Defaults to `replicas`.",
        "max": "Greatest number of pods.",
        "queue": "Waiting requests for each pod, above which there is another pod. At the router a request counts as "
        "512 tokens that wait, and as 4,096 if a GPU computes.",
        "scaleDownAfter": "How long fewer pods must have been enough before some are removed, in whole seconds, at "
        "most `1h`. Kubernetes' default is `5m`.",
        "prometheus": "URL of the Prometheus server with the metrics of vLLM and the router, for the component "
        "`autoscaling-keda`.",
    },
    "endpoints.*.vllm": STORED
    | RESOURCES
    | AUTOSCALING
    | {
        "device": "Hardware: `nvidia`, `amd`, `gaudi` or `cpu`, or the name of a device's resource. It sets the "
        "resource, the image, arguments and variables, and a toleration of the taint on such nodes. Without it, "
        "NVIDIA GPUs without the toleration.",
        "image": "Image of the server. Defaults to that of the release for the hardware.",
        "weights": "An existing claim for the weights, instead of one of its own.",
        "apiKey": "The key that the server requires of clients. The router sends it, and vLLM reads it from the "
        "Secret, so both namespaces need the Secret.",
    },
    "endpoints.*.vllm.weights": {"pvc": "PersistentVolumeClaim in the namespace of the pods. Servers may share it."},
    "endpoints.*.vllm.apiKey": {
        "secret": "Name of the Secret.",
        "key": "Key of the Secret that contains the value.",
    },
    "endpoints.*.vllm.tolerations[]": {
        "key": "Key of the taint. Without it, all taints.",
        "operator": "`Equal` compares the value. Defaults to `Equal` with a `value`, otherwise to `Exists`.",
        "value": "Value of the taint.",
        "effect": "Effect of the taint. Without it, all effects.",
        "tolerationSeconds": "How long the pods stay after the taint appears, with `NoExecute`.",
    },
    "endpoints.*.vllm.affinity": {
        "nodes": "Nodes that the pods need or prefer.",
        "near": "Pods beside which the pods run.",
        "apart": "Pods away from which the pods run.",
    },
    "endpoints.*.vllm.affinity.nodes": {
        "require": "Requirements that every node must meet.",
        "prefer": "Nodes that the scheduler prefers.",
    },
    "endpoints.*.vllm.affinity.nodes.require[]": {
        "key": "Label of the node.",
        "operator": "How the label is compared.",
        "values": "Values of the label.",
    },
    "endpoints.*.vllm.affinity.nodes.prefer[]": {
        "weight": "Weight of the preference.",
        "match": "Requirements that such a node meets.",
    },
    "endpoints.*.vllm.affinity.near[]": {
        "topology": "Label of the nodes that count as one place.",
        "labels": "Labels of the other pods, in the same namespace. Defaults to those of the pods themselves.",
        "weight": "Weight of a preference. Without it, the scheduler must obey.",
    },
    "endpoints.*.vllm.topologySpread[]": {
        "topology": "Label of the nodes that count as one place, such as `topology.kubernetes.io/zone`.",
        "maxSkew": "Greatest difference between two places.",
        "unsatisfiable": "What happens if a pod cannot be placed so.",
    },
    "endpoints.*.vllm.env.*": {
        "secret": "Name of the Secret.",
        "configMap": "Name of the ConfigMap.",
        "key": "Key of the Secret or ConfigMap that contains the value.",
        "optional": "Whether the pods start without it.",
    },
    "endpoints.*.vllm.volumes[]": {
        "name": "Name of the volume.",
        "mount": "Folder where it is mounted.",
        "subPath": "Folder of the volume that is mounted.",
        "readOnly": "Whether it is mounted read-only. ConfigMaps and Secrets always are.",
        "pvc": "An existing PersistentVolumeClaim.",
        "emptyDir": "A folder that lives as long as the pod.",
        "configMap": "A ConfigMap.",
        "secret": "A Secret.",
    },
    "endpoints.*.vllm.volumes[].emptyDir": {
        "size": "Size limit.",
        "memory": "Whether it is in memory.",
    },
    "endpoints.*.service": {
        "apiKey": "The key that its servers require. It is in the router's namespace, and the router sends it.",
    },
    "endpoints.*.pods": {
        "apiKey": "The key that their servers require. It is in the router's namespace, and the router sends it.",
    },
    "endpoints.*.external": {
        "schema": "API of the provider. Without it, requests are sent unchanged to every path below the URL's.",
        "apis": "APIs that the provider serves, if they are fewer than its schema's. Requests of others get 404.",
        "auth": "Credentials of a cloud, which Agent Router (formerly Envoy AI Gateway) signs or exchanges.",
    },
    "endpoints.*.external.apiKey": {
        "header": "Header that carries the key. Defaults to that of the schema, or `authorization`.",
        "prefix": "What precedes the key. Defaults to `Bearer ` in `authorization`, otherwise to nothing.",
        "query": "Parameter of the query that carries the key instead of a header (VSR289).",
    },
    "endpoints.*.external.auth": {
        "aws": "Signatures of AWS (SigV4).",
        "gcp": "Access tokens of Google Cloud.",
        "azure": "Access tokens of Microsoft Entra.",
    },
    "endpoints.*.external.auth.aws": {
        "region": "Region of the service.",
        "secret": "Secret with a credentials file (key `credentials`). Without it, the identity of the gateway's pods.",
        "profile": "Profile of the file.",
    },
    "endpoints.*.external.auth.gcp": {
        "project": "Project of the service.",
        "region": "Region of the service.",
        "secret": "Secret with a service account (key `service_account.json`). Without it, the identity of the "
        "gateway's pods.",
    },
    "endpoints.*.external.auth.azure": {
        "clientId": "Id of the application.",
        "tenantId": "Id of the tenant.",
        "secret": "Secret with the secret of the application (key `client-secret`).",
    },
    "endpoints.*": {
        "route": "Value of the routing header that a route of others matches, which leads to the model. Only on the "
        "target `attach`.",
    },
    "endpoints.*.pool": {
        "existing": "Name of an InferencePool that others run, with its endpoint picker. No pool, picker or server is "
        "written for it.",
        "namespace": "Namespace of an existing pool. Defaults to that of the gateway.",
        "port": "Port of the pods of an existing pool, for routes that name it.",
    },
    "endpoints.*.pool.picker": PLACEMENT
    | RESOURCES
    | {"image": "Image of the picker. Defaults to that of its release."},
    "environments.*.gateway": {
        "controller": "What runs the existing Gateway, for the target `attach`. Defaults to `istio`.",
    },
    "environments.*": {
        "to": "Whose routes lead to the models, for the target `attach`: it sets the header and its values. Defaults "
        "to `any`.",
        "header": "Header in which the router writes the model for those routes. Defaults to that of `to`.",
        "placement": "Placement by endpoint, word by word; the key `router` means the router, `pickers` all endpoint "
        "pickers. A simulated server gets only these words.",
    },
    "environments.*.placement.*": STORED | {"device": "Hardware of a model server."},
}
