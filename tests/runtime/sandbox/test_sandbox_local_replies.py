"""Replies of the real Envoy itself, before and behind the router, while guards read responses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY
from support.scripted import Scripted

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: refused}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s, maxBody: 64Ki}
endpoints:
  one: {service: {name: one, port: 8000}}
  empty: {service: {name: empty, port: 8000}}
  dead: {service: {name: dead, port: 8000}}
models:
  served: {endpoints: [one]}
  limited: {endpoints: [one]}
  refusing: {endpoints: [one]}
  empty: {endpoints: [empty]}
  dead: {endpoints: [dead]}
GUARDS
default: served
"""
GUARDS = 'guards: {secrets: {patterns: ["sk-[a-z0-9]{20}"], action: block, on: both}}'
TYPES = "type.googleapis.com/envoy.extensions.filters.http"
KEY = b"sk-" + b"ab12" * 5
BEFORE, BEHIND = "before", "behind"
ABORTS = (401, 403, 404, 429, 500, 503)
"""One fault filter each, since a client's `x-envoy-fault-abort-request` never reaches a filter."""

pytestmark = REAL_ENVOY


class Authorizer:
    """The service of ext_authz: refuses with the status that a request names, as an identity provider does."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        status = int(self.headers.get("x-refuse", "200"))
        data = b"<html>log in</html>" if status != 200 else b""
        self.send_response(status)
        self.send_header("content-type", "text/html")
        self.send_header("www-authenticate", 'Bearer realm="models"')
        self.send_header("retry-after", "9")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST  # noqa: N815 - the name that the base class calls

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _filter(name, kind, where, **config):
    return {"name": f"{name}.{where}", "typed_config": {"@type": f"{TYPES}.{kind}"} | config}


def _present(header):
    return {"name": header, "present_match": True}


def _filters(where):
    """Filters of Envoy that refuse requests; each is told by a header of the request that names it and its place."""
    refused = {
        "name": "refused",
        "permissions": [{"header": _present(f"x-rbac-{where}")}],
        "principals": [{"any": True}],
    }
    jwks = {"keys": [{"kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}]}
    for status in ABORTS:
        yield _filter(
            f"fault-{status}",
            "fault.v3.HTTPFault",
            where,
            headers=[{"name": f"x-fault-{where}", "string_match": {"exact": str(status)}}],
            abort={"http_status": status, "percentage": {"numerator": 100}},
        )
    yield _filter(
        "rbac",
        "rbac.v3.RBAC",
        where,
        rules={
            "action": "DENY",
            "policies": {"refused": {key: value for key, value in refused.items() if key != "name"}},
        },
    )
    yield _filter(
        "jwt",
        "jwt_authn.v3.JwtAuthentication",
        where,
        providers={"issuer": {"issuer": "https://issuer.example", "local_jwks": {"inline_string": json.dumps(jwks)}}},
        rules=[
            {
                "match": {"prefix": "/", "headers": [_present(f"x-jwt-{where}")]},
                "requires": {"provider_name": "issuer"},
            }
        ],
    )
    yield _filter(
        "limit", "local_ratelimit.v3.LocalRateLimit", where, stat_prefix=where, stage=0 if where == BEHIND else 1
    )


def _authorization(where):
    return _filter(
        "authorization",
        "ext_authz.v3.ExtAuthz",
        where,
        http_service={
            "server_uri": {"uri": "http://authorizer", "cluster": "authorizer", "timeout": "20s"},
        },
        allowed_headers={"patterns": [{"exact": "x-refuse"}]},
    )


def gateway_with(authorizer):
    """Return the edit of Envoy's configuration."""

    def edit(bootstrap):
        resources = bootstrap["static_resources"]
        manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        ours, router = manager["http_filters"]
        manager["http_filters"] = [_authorization(BEFORE), *_filters(BEFORE), ours, *_filters(BEHIND), router]
        bucket = {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "3600s"}
        always = {"default_value": {"numerator": 100}, "runtime_key": "limit"}
        [host] = manager["route_config"]["virtual_hosts"]
        routes = {route["name"]: route for route in host["routes"]}
        routes["limited"]["typed_per_filter_config"] = {
            "limit.behind": {
                "@type": f"{TYPES}.local_ratelimit.v3.LocalRateLimit",
                "stat_prefix": "limited",
                "token_bucket": bucket,
                "filter_enabled": always,
                "filter_enforced": always,
                "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
                "response_headers_to_add": [{"header": {"key": "retry-after", "value": "60"}}],
            }
        }
        # Envoy skips ext_authz for a request that no route matches yet.
        host["routes"].append({"match": {"prefix": "/"}, "direct_response": {"status": 404}})
        del routes["refusing"]["route"]
        routes["refusing"]["direct_response"] = {"status": 503, "body": {"inline_string": "closed for the night"}}
        routes["refusing"]["response_headers_to_add"] = [{"header": {"key": "retry-after", "value": "28800"}}]
        clusters = {cluster["name"]: cluster for cluster in resources["clusters"]}
        clusters["backend/empty"]["load_assignment"]["endpoints"] = []
        unused = {"socket_address": {"address": "127.0.0.1", "port_value": 1}}
        clusters["backend/dead"]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = unused
        address = {"socket_address": {"address": "127.0.0.1", "port_value": authorizer.port}}
        resources["clusters"].append(
            {
                "name": "authorizer",
                "type": "STATIC",
                "load_assignment": {
                    "cluster_name": "authorizer",
                    "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
                },
            }
        )

    return edit


@pytest.fixture(scope="module", params=["guarded", "unguarded"])
def gateway(request, tmp_path_factory, transport):
    """A gateway whose own filters refuse requests, with and without guards on responses."""
    authorizer = Authorizer()
    try:
        policy = POLICY.replace("GUARDS", GUARDS if request.param == "guarded" else "")
        folder = tmp_path_factory.mktemp("refused")
        with compiled_sandbox(folder, policy, transport=transport, edit=gateway_with(authorizer)) as running:
            running.guarded = request.param == "guarded"
            yield running
    finally:
        authorizer.stop()


@pytest.fixture(autouse=True)
def fresh():
    """Every test says what the backends say."""
    Scripted.requests.clear()
    Scripted.says("fine")


@pytest.fixture(params=["document", "stream"])
def ask(request):
    """Makes the body of a request for a document or a stream."""

    def make(model="served"):
        streamed = {"stream": True} if request.param == "stream" else {}
        return json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}], **streamed})

    return make


@pytest.mark.parametrize("where", [BEFORE, BEHIND])
@pytest.mark.parametrize("status", ABORTS)
def test_abort_of_a_filter_reaches_the_client(gateway, ask, where, status):
    """Whatever its status, before the router or behind it."""
    got, headers, data = gateway.send(ask(), **{f"x_fault_{where}": str(status)})
    assert (got, headers["content-type"], data) == (status, "text/plain", b"fault filter abort")
    assert Scripted.requests == []


@pytest.mark.parametrize("where", [BEFORE, BEHIND])
def test_denial_of_rbac_reaches_the_client(gateway, ask, where):
    """403 with Envoy's own text."""
    status, _, data = gateway.send(ask(), **{f"x_rbac_{where}": "1"})
    assert (status, data) == (403, b"RBAC: access denied")


@pytest.mark.parametrize("where", [BEFORE, BEHIND])
def test_missing_token_reaches_the_client_as_401(gateway, ask, where):
    """With the header that says how to log in."""
    status, headers, data = gateway.send(ask(), **{f"x_jwt_{where}": "1"})
    assert (status, data) == (401, b"Jwt is missing")
    assert headers["www-authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_refusal_of_an_authorization_service_reaches_the_client(gateway, ask, status):
    """With the service's own body and headers."""
    got, headers, data = gateway.send(ask(), x_refuse=str(status))
    assert (got, data, headers["content-type"]) == (status, b"<html>log in</html>", "text/html")
    assert headers["www-authenticate"] == 'Bearer realm="models"'
    assert headers["retry-after"] == "9"


def test_refused_preflight_reaches_the_browser(gateway):
    """A request without a body, for a path that the router does not know."""
    status, _, data = gateway.send(method="GET", path="/", content_type=None, x_refuse="403")
    assert (status, data) == (403, b"<html>log in</html>")


def test_rate_limit_of_a_model_reaches_the_client(gateway, ask):
    """429 with the header that says when to come back; the first request is served."""
    gateway.send(ask("limited"))
    status, headers, data = gateway.send(ask("limited"))
    assert (status, data) == (429, b"local_rate_limited")
    assert headers["retry-after"] == "60"
    assert headers["x-ratelimit-remaining"] == "0"


def test_route_that_answers_itself_reaches_the_client(gateway, ask):
    """A direct response is an error of the gateway like any other."""
    status, headers, data = gateway.send(ask("refusing"))
    assert (status, headers["retry-after"], data) == (503, "28800", b"closed for the night")


@pytest.mark.parametrize(("model", "text"), [("empty", b"no healthy upstream"), ("dead", b"upstream connect error")])
def test_model_that_is_down_is_503_with_the_gateways_reason(gateway, ask, model, text):
    """People debug by it."""
    status, _, data = gateway.send(ask(model))
    assert status == 503
    assert data.startswith(text)


@pytest.mark.parametrize(
    ("status", "kind", "data"),
    [
        (429, "text/plain", b"slow down"),
        (404, "text/html", b"<h1>Not Found</h1>"),
        (502, "text/html", b"<h1>Bad Gateway</h1>"),
        (503, "application/json", b"ServiceUnavailable"),
        (400, "application/json", b'{"error": {"message": "too long"}}'),
        (500, "", b""),
    ],
)
def test_error_of_a_server_or_picker_reaches_the_client(gateway, ask, status, kind, data):
    """With `retry-after` and its text, although no length was announced."""
    Scripted.reply = (status, {"content-type": kind, "retry-after": "3"}, [data] if data else [])
    got, headers, body = gateway.send(ask())
    assert (got, headers["retry-after"], headers["content-type"] or "", body) == (status, "3", kind, data)


@pytest.mark.parametrize("more", [{}, {"content-encoding": "gzip"}])
def test_error_with_a_key_keeps_its_status_and_loses_its_text(gateway, ask, more):
    """Fail closed for the body, never for the status."""
    Scripted.reply = (429, {"content-type": "text/plain", "retry-after": "3"} | more, [b"key: ", KEY])
    status, headers, data = gateway.send(ask())
    assert (status, headers["retry-after"]) == (429, "3")
    if gateway.guarded:
        assert json.loads(data)["error"]["code"] in {"guard:secrets", "unreadable:secrets"}
        assert headers.get("content-encoding") is None
    else:
        assert data == b"key: " + KEY


def test_error_over_the_limit_keeps_its_status(gateway, ask):
    """Longer than the gateway can buffer, which must not make it 500."""
    Scripted.reply = (503, {"content-type": "text/plain"}, [b"x" * 10_000] * 10)
    status, _, data = gateway.send(ask())
    assert status == 503
    assert json.loads(data)["error"]["code"] == "too_long:secrets" if gateway.guarded else len(data) == 100_000
