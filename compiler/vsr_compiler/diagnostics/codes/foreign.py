"""Codes about the import of configurations of other gateways: LiteLLM, agentgateway, and manifests beside a router."""

from __future__ import annotations

from typing import Literal

from vsr_compiler.diagnostics.codes.model import Code, Example, Kind, Stage

_PROMISE = "The policy would route, allow or cost something else than the configuration that it replaces."


def _code(
    title: str,
    severity: Literal["error", "warning", "note"],
    meaning: str,
    fix: str,
    output: str,
    reason: str = _PROMISE,
) -> Code:
    return Code(
        title=title,
        severity=severity,
        stage=Stage.IMPORT,
        meaning=meaning,
        reason=reason,
        fix=fix,
        example=Example("vsr-compile import config.yaml", Kind.COMMAND, output=output),
    )


CODES: dict[str, Code] = {
    "VSR540": _code(
        "key in an imported file",
        "warning",
        "A file to import contains a key. The policy refers to a Secret instead, and no output shows the key.",
        "Store the key in the Secret that the message names. Replace the key if the file was ever shared.",
        "config.yaml:5:16: warning VSR540: a key is written in the file; it is not copied",
        "Keys in files reach histories, backups and logs.",
    ),
    "VSR541": _code(
        "Secrets of an imported policy",
        "note",
        "The policy refers to these Secrets, in place of environment variables or keys of the source.",
        "Create each Secret in the router's namespace, with the value under the key that the policy names.",
        "config.yaml:5:16: note VSR541: Secrets that must exist: `openai-api-key`",
        "The router does not start without them.",
    ),
    "VSR542": _code(
        "model that no target reaches",
        "warning",
        "A provider has an API of its own that no target translates, or an entry has no name or model.",
        "Serve the model by an API of OpenAI's form, or leave it out.",
        "config.yaml:2:5: warning VSR542: `sd` is at Replicate (`replicate`), whose API no target reaches; it "
        "is left out",
    ),
    "VSR543": _code(
        "model name with deployments at several providers",
        "warning",
        "A name has several deployments that cannot be endpoints of one model: a model outside the cluster has exactly "
        "one, and the endpoints of a model have the same key and the same name of the model.",
        "Name the further models in `fallback` or `split` of a route. Requests that name the model get the first one.",
        "config.yaml:8:5: warning VSR543: `gpt-4o` has deployments at several providers; a request that names "
        "it reaches "
        "only the first, and `gpt-4o-2` the others",
    ),
    "VSR544": _code(
        "model name with a wildcard",
        "warning",
        "An entry covers every model name of a form, such as `openai/*`.",
        "Write a model for each name that clients use.",
        "config.yaml:2:5: warning VSR544: `openai/*` covers every name of its form, which a policy cannot "
        "say; it is "
        "left out",
    ),
    "VSR545": _code(
        "fallback that is lost",
        "warning",
        "The source asks another model when one fails. A policy does that for requests whose model the router chooses, "
        "and not for a model that the client names.",
        "Let clients send `auto`, or repeat in the client.",
        "config.yaml:12:20: warning VSR545: fallbacks that hold only if the router chooses the model: `gpt-4o`",
    ),
    "VSR546": _code(
        "guardrail that is no guard",
        "error",
        "A guardrail of the source has no equal in the policy: it calls a service, runs code, or looks for what no "
        "pattern finds. As a warning, the policy has a weaker guard in its place; as a note, a stricter one.",
        "Add a `detector`, or guard the requests elsewhere, before you use the policy.",
        "config.yaml:9:5: error VSR546: `safety` is Bedrock Guardrails, for which there is no guard: it is lost",
        "Requests or responses that were rejected would pass.",
    ),
    "VSR547": _code(
        "access that is not in the file",
        "warning",
        "The source authenticates or restricts clients by keys of a database, by code, or by settings that the policy "
        "has no word for. It is an error if the policy would serve everybody instead.",
        "Write `identity`: tokens, keys by reference, or a front end.",
        "config.yaml:15:3: warning VSR547: clients need the master key; virtual keys of the database are not in "
        "the file",
        "More or fewer clients would be served.",
    ),
    "VSR548": _code(
        "budget or limit that is not carried over",
        "warning",
        "A budget, a limit or a strategy needs more than the file says, such as prices or teams, or has no equal.",
        "Write it under `limits`, and teams and users under `identity`.",
        "config.yaml:11:3: warning VSR548: `max_budget` is a budget of all requests together, which is not "
        "carried over",
        "More could be used, or spent, than before.",
    ),
    "VSR549": _code(
        "settings without a counterpart",
        "note",
        "Settings of the source are about its own process, its logs or its database, and decide nothing.",
        "Check that you need none of them, or configure them at the gateway.",
        "config.yaml:20:3: note VSR549: settings without a counterpart: `litellm_settings.drop_params`",
        "A reader of the report should see what was read and left out.",
    ),
    "VSR550": _code(
        "automatic routing that differs",
        "warning",
        "The source chooses a model by the text or by an expression, and the policy does it in another way: "
        "with another "
        "encoder, with example sentences, or not at all (an error).",
        "Test the routes with prompts of your own, and change thresholds and sentences.",
        "config.yaml:9:5: warning VSR550: the thresholds of `smart` are for another encoder: each is 0.5 here, and a "
        "sentence decides by its cosine with the default encoder",
        "Requests would go to other models than before.",
    ),
    "VSR551": _code(
        "parameters that are not sent",
        "warning",
        "The source adds parameters, headers or credentials to requests that a model does not have in a policy.",
        "Let clients send them, or use `params`, `systemPrompt` and `headers` of a route.",
        "config.yaml:6:7: warning VSR551: parameters of deployments that are not sent: `temperature`",
        "Models would answer differently.",
    ),
    "VSR552": _code(
        "address that a policy cannot have",
        "warning",
        "An address is not in the file, is on this machine, has no TLS outside the cluster, or has a path of "
        "its own. The "
        "policy has a placeholder, or the address without the part.",
        "Change the endpoint in the policy, or create the Service.",
        "config.yaml:5:17: warning VSR552: `llama`: `localhost` is this machine, so a Service `llama` replaces it",
        "Requests would fail, or reach another server.",
    ),
    "VSR553": _code(
        "file that was not passed",
        "warning",
        "A configuration names another file, which `import` does not read by itself.",
        "Pass the file as well.",
        "config.yaml:1:1: warning VSR553: `include` names `models.yaml`, which was not passed",
        "The policy would be incomplete.",
    ),
    "VSR554": _code(
        "route and router that name different models",
        "error",
        "A route of the gateway matches a model that the router never selects, or the router selects one that no route "
        "matches. The message has the place of the other side.",
        "Use the same name at both places.",
        "routes.yaml:14:16: error VSR554: a route matches the model `qwen-7b`, which the router does not have; it has "
        "`qwen`, in router.yaml:4:5",
        "Requests would get 404, or take a route that was made for other requests.",
    ),
    "VSR555": _code(
        "route on another header",
        "warning",
        "Routes choose the model by different headers, or by one that the router does not write.",
        "Let all routes match the header that the router writes. The compiled routes do.",
        "routes.yaml:12:17: warning VSR555: this route matches `x-model`, others match `x-selected-model`",
        "A request would be decided by a header that the client sends itself.",
    ),
    "VSR556": _code(
        "reference that leads nowhere",
        "warning",
        "A selector selects no pods of the files, or a route names a Service, a pool or a backend that no file has.",
        "Correct the labels or the name, or pass the file that has the object.",
        "pool.yaml:7:5: warning VSR556: the selector of InferencePool `qwen` selects no pods of the files",
        "The gateway answers 500 or 503 for such requests.",
    ),
    "VSR557": _code(
        "part of a route that is not carried over",
        "warning",
        "A route has filters, matches, timeouts or retries that the policy does not have per model.",
        "Write it in the policy (`headers`, `gateway.timeout`, `retry`), or keep a route of your own beside it.",
        "routes.yaml:20:7: warning VSR557: rules of routes that are not carried over: `filters.URLRewrite`",
    ),
    "VSR558": _code(
        "response cache that differs",
        "warning",
        "The source caches responses of all requests, for all clients or by similarity. A policy caches by "
        "route, and by "
        "default for each client.",
        "Write `cache` at the routes whose responses may be reused.",
        "config.yaml:7:3: warning VSR558: responses are not cached: the policy has no route",
        "Costs and latency would differ, or clients would share responses.",
    ),
    "VSR559": _code(
        "target of an imported policy",
        "note",
        "The import chose a target by what the files contain.",
        "Name another one with `--target`, or under `environments`.",
        "config.yaml:4:5: note VSR559: the target is `ai-gateway`, because of the API `anthropic`",
        "The target decides which objects are written.",
    ),
}
