"""The registry of codes: what each means, how much it weighs, and what to do.

Numbers: 0xx text, 1xx schema, 2xx meaning, 3xx targets, 4xx links, 5xx output, 9xx our own fault. A code is never
reused and never changes its meaning; a retired one stays here, marked so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for. ``title`` is a phrase, ``advice`` tells what to do in a sentence or two."""

    title: str
    severity: Literal["error", "warning", "note"]
    advice: str


CODES: dict[str, Code] = {
    "VSR001": Code("file cannot be read", "error", "Check the path and that you may read the file."),
    "VSR002": Code("not valid YAML", "error", "Mend the syntax at the caret; indentation is by spaces."),
    "VSR003": Code("key given twice", "error", "Keep one of the two; a later key would silently win elsewhere."),
    "VSR004": Code("not plain UTF-8 text", "error", "Save the file as UTF-8 without a byte order mark."),
    "VSR005": Code("file over a limit", "error", "Split the policy; limits keep hostile files from costing time."),
    "VSR006": Code("more or less than one document", "error", "One file holds one policy; remove the other documents."),
    "VSR007": Code("tab in the indentation", "error", "Indent by spaces."),
    "VSR008": Code(
        "YAML feature that policies do not use", "error", "Write the value out; tags and merge keys hide it."
    ),
    "VSR009": Code(
        "ignore that silences nothing", "warning", "Remove the comment; it silences warnings only, never an error."
    ),
    "VSR010": Code("ignore without a code or a reason", "warning", "Write the code and, behind it, the reason."),
    "VSR011": Code("more findings than are shown", "error", "Mend those that are shown, and run the command again."),
    "VSR101": Code("unknown key", "error", "Remove the key or mend its spelling."),
    "VSR102": Code("missing key", "error", "Add the key."),
    "VSR103": Code("wrong type", "error", "Write the value in the form that the message asks for."),
    "VSR104": Code("value not allowed", "error", "Use one of the values that the message lists."),
    "VSR105": Code("target not supported", "error", "Use one of the targets that the message lists."),
    "VSR201": Code("reference to nothing", "error", "Name something that the policy defines."),
    "VSR202": Code("classifier without categories", "error", "Add categories, or remove the classifier."),
    "VSR203": Code("second classifier for one task", "error", "Keep one classifier a task."),
    "VSR204": Code("model bears an auto name", "error", "Rename the model or the auto name."),
    "VSR205": Code("entry given twice", "error", "Keep it once."),
    "VSR206": Code("argument that the compiler sets", "error", "Remove the argument."),
    "VSR207": Code("endpoint without a model", "error", "Name the endpoint in a model, or remove it."),
    "VSR208": Code("model without a checkpoint", "error", "Add the checkpoint that the server loads."),
    "VSR209": Code("endpoint with several checkpoints", "error", "Give each checkpoint an endpoint of its own."),
    "VSR210": Code("no endpoint has a weight", "error", "Give at least one endpoint a weight over 0."),
    "VSR211": Code("route name given twice", "error", "Give each route a name of its own."),
    "VSR212": Code("only the category other", "error", "Add a category that it is none of."),
    "VSR213": Code("pool without pods", "error", "Name pods, or remove the pool."),
    "VSR214": Code("name of two models", "error", "Rename one of the two."),
    "VSR215": Code(
        "adapter on a server that is not ours",
        "error",
        "Serve the model by vllm, or make the adapter a model of its own.",
    ),
    "VSR216": Code("classifier of another task", "error", "Name a classifier of the task that is asked for."),
    "VSR217": Code("pattern that cannot be used", "error", "Write a pattern that RE2 takes."),
    "VSR218": Code("unknown type of personal data", "error", "Use one of the types that the message lists."),
    "VSR219": Code("type that needs a model", "error", "Name a detector, or take the type out."),
    "VSR220": Code("shares that are not 100", "error", "Make the shares of the split add up to 100."),
    "VSR221": Code("reasoning of an unknown kind", "error", "Give the model a reasoningFamily."),
    "VSR222": Code("reasoning that the family does not take", "error", "Use what the message lists, or leave it out."),
    "VSR223": Code("effort without reasoning", "error", "Keep one of them."),
    "VSR224": Code("protected header", "error", "Use a header of your own."),
    "VSR225": Code("pods that are not the compiler's", "error", "Scale them where they are defined."),
    "VSR226": Code("image that may change", "error", "Pin a release or a digest."),
    "VSR227": Code("secret in the policy", "error", "Refer to a Secret, and revoke what was written."),
    "VSR228": Code("request over its limit", "error", "Lower the request, or raise the limit."),
    "VSR230": Code(
        "route that is never reached", "warning", "Move the route up, give it a higher priority, or remove it."
    ),
    "VSR231": Code(
        "condition that contradicts itself", "error", "Mend the condition; a request has at most one category."
    ),
    "VSR232": Code("condition that is always true", "warning", "Write when: always if that is meant."),
    "VSR233": Code("part of a condition that never changes", "warning", "Remove the part, or mend it."),
    "VSR234": Code("routes of one priority that overlap", "warning", "Give them different priorities."),
    "VSR235": Code("category without a route", "warning", "Give it a route, or remove it."),
    "VSR236": Code("model that nothing selects", "warning", "Name it in a route, or remove it."),
    "VSR237": Code("weak example", "warning", "Move the example, or add more like it."),
    "VSR238": Code("definition that nothing uses", "warning", "Use it, or remove it."),
    "VSR240": Code("assertion that does not hold", "error", "Change the routes or guards, or what is asserted."),
    "VSR241": Code("assertion about nothing", "warning", "Check its names."),
    "VSR242": Code("too many combinations to decide", "error", "Ask about fewer signals at once."),
    "VSR243": Code(
        "default that may not serve the auto name",
        "error",
        "Use onFailure: deny, or a default on a server of the compiler's.",
    ),
    "VSR245": Code("times that do not fit", "error", "Make gateway.timeout longer than the deadline."),
    "VSR250": Code("test that fails", "error", "Mend the policy, or what is expected."),
    "VSR251": Code("route that no test reaches", "note", "Add a test with a prompt that should take it."),
    "VSR260": Code("guard that no test reaches", "note", "Add a test with a prompt in which it should find something."),
    "VSR270": Code(
        "line of data that cannot be used", "error", "Mend the line: a JSON object with prompt and category."
    ),
    "VSR271": Code(
        "category that the policy does not have", "error", "Use the policy's names of categories, or other."
    ),
    "VSR272": Code("nothing to evaluate", "error", "Give the policy categories, or the data lines."),
    "VSR280": Code("classifier on a GPU that is not there", "error", "Give the router `gpus`, or put it on the CPU."),
    "VSR281": Code("GPUs that nothing uses", "warning", "Put a checkpoint on them, or take them out."),
    "VSR282": Code("claim that nothing is read from", "warning", "Name a checkpoint, or take it out."),
    "VSR283": Code("signal that the router is never told", "error", "Take it out, and tell clients apart elsewhere."),
    "VSR284": Code("language that nobody here can tell", "error", "Take the language out."),
    "VSR285": Code("sentence on both sides", "error", "Keep it on the side where it belongs."),
    "VSR286": Code("level that no request can have", "error", "Lower the threshold."),
    "VSR290": Code(
        "device that nothing is moved to", "warning", "Take `device` out, or give a classifier a checkpoint."
    ),
    "VSR291": Code("image for another device", "note", "Name the image that brings torch for CUDA, if it is another."),
    "VSR301": Code("no repository for Argo CD", "warning", "Add `gitops` with the repository that holds the output."),
    "VSR302": Code("path outside the repository", "error", "Name the folder of the repository that holds `out/`."),
    "VSR303": Code("environments that share objects", "note", "Apply one Application a cluster."),
    "VSR304": Code("environment asks for what its target does not do yet", "error", "Remove the setting."),
    "VSR305": Code("nothing to compare with", "error", "Name an output folder or a git revision that holds one."),
    "VSR306": Code("earlier output cannot be read", "error", "Compare with an output as vsr-compile wrote it."),
    "VSR307": Code("nothing was emitted there", "error", "Name a file of the output, or a line of the policy."),
    "VSR308": Code("name of two policies", "error", "Give each policy a name of its own."),
    "VSR309": Code("policies that share objects", "note", "Give each its own namespaces and Gateway, or a cluster."),
    "VSR310": Code("output of no policy", "note", "Delete it, if its policy is gone."),
    "VSR311": Code("setting that the target ignores", "note", "Nothing, or use a target that heeds it."),
    "VSR312": Code("what the target cannot do", "error", "Follow the hint, or use another target."),
    "VSR313": Code("release without a table", "error", "Use one of the releases that the message lists."),
    "VSR314": Code("releases that do not go together", "error", "Use the release that the message names."),
    "VSR315": Code("what the cluster must have", "note", "See that it has, before the first apply."),
    "VSR316": Code("endpoint that is not pooled", "note", "Name its pods, if it is to be pooled."),
    "VSR317": Code("two objects of one name", "error", "Rename what the message names."),
    "VSR330": Code("what the engine cannot do", "error", "Follow the hint, or use the engine vsr-runtime."),
    "VSR331": Code("what the engine does otherwise", "note", "Nothing, if that is acceptable."),
    "VSR332": Code(
        "guards that requests which name a model pass by",
        "error",
        "Use the engine vsr-runtime, or accept it in words.",
    ),
    "VSR333": Code("test that nothing here can decide", "note", "Ask a running router."),
    "VSR340": Code("guards that a failing router lets requests past", "error", "Use onFailure: deny."),
    "VSR341": Code("cache that cannot be", "error", "Follow the hint."),
    "VSR342": Code("cache that may take different questions for the same", "warning", "Give a higher similarity."),
    "VSR401": Code("object that is there twice", "error", "Keep one, or rename it."),
    "VSR402": Code(
        "reference to an object that is not there",
        "error",
        "Mend the name or namespace, or name the object by --assume.",
    ),
    "VSR403": Code(
        "ReferenceGrant that is missing or serves nothing",
        "error",
        "Add the grant that the message asks for, or remove the one that it names.",
    ),
    "VSR404": Code(
        "model name without a route or a server", "error", "Make the names of router, routes and servers the same."
    ),
    "VSR405": Code("selector that finds no pods or the wrong ones", "error", "Mend labels, ports or namespace."),
    "VSR406": Code("endpoint picker of another pool", "error", "Give the picker the arguments of its pool."),
    "VSR407": Code(
        "endpoint picker spoken to in another way than it listens", "error", "Make TLS the same on both sides."
    ),
    "VSR408": Code("gRPC port that does not say HTTP/2", "error", "Name the port `grpc`, or give it an appProtocol."),
    "VSR409": Code("ext_proc filter with a name or a place that does not work", "error", "Rename or move the filter."),
    "VSR410": Code(
        "way past the guards", "error", "Fail closed, and strip routing headers from clients before any filter."
    ),
    "VSR411": Code("processing mode that cannot route", "error", "Use the mode that the message names."),
    "VSR412": Code("buffer smaller than a prompt", "error", "Set the gateway's buffer limit."),
    "VSR413": Code("timeouts that contradict each other", "error", "Let who waits outermost wait longest."),
    "VSR414": Code("what the picker's release does not take", "error", "Use the flags and plugins of the release."),
    "VSR415": Code(
        "rights that are missing or have no effect", "error", "Mend roles and bindings as the message says."
    ),
    "VSR416": Code("route beyond what its gateway carries", "error", "Split the route or the rule."),
    "VSR417": Code("listener that does not take the route", "error", "Mend the listener's name, or what it allows."),
    "VSR418": Code(
        "what may change or leak", "error", "Pin images, and keep secrets and prompts out of manifests and logs."
    ),
    "VSR419": Code("name inside a string that names nothing", "error", "Mend the string."),
    "VSR420": Code("default or namespace that is not written", "warning", "Write it."),
    "VSR421": Code("probe that nothing answers", "error", "Ask for what answers."),
    "VSR422": Code("rule that the gateway does not see, or everybody does", "error", "Put it where the gateway looks."),
    "VSR423": Code("cluster's object among an application's", "warning", "Keep it with what sets up the cluster."),
    "VSR430": Code(
        "manifests over a limit", "error", "Check them in several runs; limits keep hostile files from costing time."
    ),
    "VSR431": Code("document that is no Kubernetes object", "error", "Give it apiVersion, kind and metadata.name."),
    "VSR432": Code("document that was left out", "note", "Nothing, if something else reads it."),
    "VSR433": Code("kustomization that is not built", "note", "Check what `kubectl kustomize` prints."),
    "VSR440": Code("kinds without a known schema", "note", "Pull or name their CustomResourceDefinitions."),
    "VSR441": Code("field that the kind does not have", "error", "Mend its spelling or its place, or remove it."),
    "VSR442": Code("field that the kind must have", "error", "Add it."),
    "VSR443": Code("value of a wrong type", "error", "Write the type that the message names."),
    "VSR444": Code("value that the kind does not allow", "error", "Write one that it allows."),
    "VSR445": Code("items that must differ", "error", "Keep one of them."),
    "VSR446": Code("rule of the kind that is broken", "error", "Do what the rule asks; an API server refuses it."),
    "VSR447": Code("release of a schema that is not clear", "warning", "Name the folder of one release, or a profile."),
    "VSR448": Code("rule of a kind that cannot be evaluated", "warning", "Ask an API server by a dry run."),
    "VSR449": Code("kind or version that is not there", "error", "Use one that the API server serves."),
    "VSR450": Code("CustomResourceDefinition that cannot be read", "error", "Mend the file, or pull it anew."),
    "VSR451": Code("download that is not what was recorded", "error", "Trust nothing of it; find out why it differs."),
    "VSR452": Code("download that failed", "error", "Check the address and the network, and run the command again."),
    "VSR453": Code("checks that need a package", "note", "Install the extra that the message names."),
    "VSR454": Code("version that is deprecated", "warning", "Move to a newer version."),
    "VSR455": Code("value that Envoy refuses", "error", "Mend the value as Envoy asks for it."),
    "VSR456": Code("value that was not put to Envoy", "note", "Install the extra `local`, or mend what is in the way."),
    "VSR460": Code("object that the API server refuses", "error", "Mend the field that the server names."),
    "VSR461": Code(
        "object that the API server was not asked about", "error", "See that the cluster answers, and that you may ask."
    ),
    "VSR500": Code("output directory cannot be written", "error", "Check the path and its permissions."),
    "VSR501": Code("file was edited by hand or is not ours", "error", "Move it away, or pass --force to overwrite it."),
    "VSR502": Code("output differs from a fresh compile", "error", "Run vsr-compile and commit the result."),
    "VSR503": Code("path leads outside the output directory", "error", "Remove the symbolic link."),
    "VSR504": Code("another compile is writing here", "error", "Wait for it to end and run the command again."),
    "VSR506": Code("classifier head cannot be trained", "error", "Follow what the message says about the encoder."),
    "VSR507": Code("text that YAML cannot carry", "error", "Remove the character that the message names."),
    "VSR900": Code("internal error", "error", "This is our fault: please report it with the policy that caused it."),
}
