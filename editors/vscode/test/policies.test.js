"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");
const { explainArguments, isPolicy, isWhole, program, routeArguments } = require("../src/policies");

test("a policy is known by its kind", () => {
  for (const text of ["kind: RoutingPolicy", 'a: 1\n"kind": "RoutingPolicy"\n', "kind: RoutingPolicyFragment\n"]) {
    assert.ok(isPolicy(text), text);
  }
  for (const text of ["", "kind: Deployment", "  kind: RoutingPolicy", "# kind: RoutingPolicy", "kind: RoutingPolicyList"]) {
    assert.ok(!isPolicy(text), text);
  }
  assert.ok(isWhole("kind: RoutingPolicy # whole"));
  assert.ok(!isWhole("kind: RoutingPolicyFragment"));
});

test("a program is a name, a path, or below the folder", () => {
  assert.equal(program("", "/w"), "vsr-compile");
  assert.equal(program("vsr-compile", "/w"), "vsr-compile");
  assert.equal(program("${workspaceFolder}/.venv/bin/vsr-compile", "/w"), "/w/.venv/bin/vsr-compile");
  assert.equal(program("./bin/vsr-compile", "/w"), "/w/bin/vsr-compile");
  assert.equal(program("/opt/vsr-compile", undefined), "/opt/vsr-compile");
});

test("arguments never become flags", () => {
  assert.deepEqual(routeArguments("/p.yaml", "--format json"), ["route", "--", "/p.yaml", "--format json"]);
  assert.deepEqual(explainArguments("/p.yaml", 3), ["explain", "/p.yaml:3"]);
});
