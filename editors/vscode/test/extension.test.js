// The built extension with a real `vsr-compile lsp`: VSR_COMPILE names the program.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { EventEmitter, editor } = require("./vscode");

const TEXT = `apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: edited}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: "one:8000"}}
models: {big: {endpoints: one}}
signals: {joy: {keywords: [joy]}}
routes: [{name: joy, when: {signal: joy}, model: big}]
default: big
`;
const PROGRAM = process.env.VSR_COMPILE;
const load = Module._load;

/** Load the built extension with a stand-in for the editor. */
function extension(api) {
  const file = path.join(__dirname, "..", "dist", "extension.js");
  delete require.cache[file];
  Module._load = (name, ...others) => (name === "vscode" ? api : load(name, ...others));
  try {
    return require(file);
  } finally {
    Module._load = load;
  }
}

function folder(context) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "vsr-compile-"));
  context.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

test("a policy starts the server; its findings arrive, and a name is renamed", { skip: !PROGRAM, timeout: 120_000 }, async (context) => {
  const here = folder(context);
  const file = path.join(here, "policy.yaml");
  const text = TEXT.replace("default: big", "default: bigg");
  fs.writeFileSync(file, text);
  const { api, document, events, seen, workspace } = editor({ "vsr-compile.command": PROGRAM }, here);
  events.diagnostics = new EventEmitter();
  const arrived = new Promise((resolve) => events.diagnostics.event(resolve));
  const opened = document(file, text);
  workspace.textDocuments.push(opened);
  const { activate, deactivate } = extension(api);
  try {
    await activate({ subscriptions: [] });
    assert.deepEqual(seen.errors, []);
    const uri = await arrived;
    assert.equal(uri, opened.uri.toString());
    const [finding] = seen.diagnostics.get(uri);
    assert.match(finding.message, /`bigg` is not defined/);
    assert.deepEqual([finding.range.start.line, finding.range.start.character], [8, 9]);
    const token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };
    const renamed = await seen.providers.Rename.provideRenameEdits(opened, new api.Position(7, 36), "glee", token);
    assert.deepEqual(renamed.edits.map((edit) => [edit.range.start.line, edit.newText]), [[6, "glee"], [7, "glee"]]);
    const hover = await seen.providers.Hover.provideHover(opened, new api.Position(8, 2), token);
    assert.ok(hover);
  } finally {
    await deactivate();
  }
});

test("explain and route show what the program prints, and take no prompt for a flag", { skip: !PROGRAM, timeout: 120_000 }, async (context) => {
  const here = folder(context);
  const file = path.join(here, "policy.yaml");
  fs.writeFileSync(file, TEXT);
  const { api, document, seen, window } = editor({ "vsr-compile.command": PROGRAM }, here);
  const { activate, deactivate } = extension(api);
  await activate({ subscriptions: [] });
  window.activeTextEditor = { document: document(file, TEXT), selection: { active: { line: 5 } } };
  await seen.commands["vsr-compile.explain"]();
  assert.match(seen.channels[0].text, /HTTPRoute/);
  seen.typed = "--help joy";
  await seen.commands["vsr-compile.route"]();
  assert.match(seen.channels[0].text, /route joy|`joy`|joy/);
  assert.doesNotMatch(seen.channels[0].text, /Usage:/);
  await deactivate();
});

test("other YAML files start nothing, and a program that is missing is explained", { timeout: 60_000 }, async (context) => {
  const here = folder(context);
  const { api, document, events, seen, workspace } = editor({ "vsr-compile.command": path.join(here, "missing") }, here);
  workspace.textDocuments.push(document(path.join(here, "values.yaml"), "kind: Deployment\n"));
  const { activate, deactivate } = extension(api);
  await activate({ subscriptions: [] });
  assert.deepEqual(seen.errors, []);
  assert.deepEqual(seen.providers, {});
  await events.onDidOpenTextDocument.fire(document(path.join(here, "policy.yaml"), TEXT));
  assert.ok(seen.errors.some((error) => error.includes("pip install 'vsr-compile[lsp]'")));
  await deactivate();
});
