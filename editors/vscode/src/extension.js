// Starts `vsr-compile lsp` when the first policy is opened, and shows what `explain` and `route` print.
"use strict";

const { execFile } = require("node:child_process");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { explainArguments, isPolicy, isWhole, program, routeArguments } = require("./policies");

const SECTION = "vsr-compile";
const LIMIT = { maxBuffer: 16 << 20, timeout: 120_000 };

let client;
let starting;
let output;

/** The program for a document, by the settings of its folder. */
function command(document) {
  const folder = document && vscode.workspace.getWorkspaceFolder(document.uri);
  const setting = vscode.workspace.getConfiguration(SECTION, document && document.uri).get("command");
  return program(setting, folder && folder.uri.fsPath);
}

/** Start the language server, once. It leaves YAML files alone that are no policies. */
async function start(document) {
  if (starting) {
    return starting;
  }
  const executable = { command: command(document), args: ["lsp"] };
  const started = new LanguageClient(SECTION, SECTION, executable, {
    documentSelector: [{ scheme: "file", language: "yaml" }],
    outputChannel: output,
  });
  client = started;
  starting = started.start().catch((error) => {
    client = undefined;
    vscode.window.showErrorMessage(
      `${executable.command} lsp could not be started: ${error.message}. ` +
        "Install it with pip install 'vsr-compile[lsp]', or set vsr-compile.command.",
    );
  });
  return starting;
}

async function stop() {
  const stopped = client;
  client = undefined;
  starting = undefined;
  if (stopped) {
    await stopped.stop();
  }
}

/** Start the server if a document is a policy. */
async function opened(document) {
  if (document.languageId === "yaml" && document.uri.scheme === "file" && isPolicy(document.getText())) {
    await start(document);
  }
}

function focused(editor) {
  const policy = Boolean(editor && editor.document.languageId === "yaml" && isPolicy(editor.document.getText()));
  return vscode.commands.executeCommand("setContext", "vsr-compile.policy", policy);
}

/** The editor with a whole policy; a message if there is none. */
function policyEditor() {
  const editor = vscode.window.activeTextEditor;
  if (editor && editor.document.uri.scheme === "file" && isWhole(editor.document.getText())) {
    return editor;
  }
  vscode.window.showInformationMessage("Open a policy first: a file with `kind: RoutingPolicy`.");
  return undefined;
}

/** Run the program, without a shell, and show what it prints. */
async function show(document, words) {
  if (document.isDirty && !(await document.save())) {
    return;
  }
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  const cwd = folder ? folder.uri.fsPath : path.dirname(document.uri.fsPath);
  const text = await new Promise((resolve) => {
    execFile(command(document), words, { ...LIMIT, cwd }, (error, stdout, stderr) => {
      resolve([stdout, stderr, error && typeof error.code !== "number" ? error.message : ""].filter(Boolean).join("\n"));
    });
  });
  output.clear();
  output.append(text.endsWith("\n") ? text : `${text}\n`);
  output.show(true);
}

async function explain() {
  const editor = policyEditor();
  if (editor) {
    await show(editor.document, explainArguments(editor.document.uri.fsPath, editor.selection.active.line + 1));
  }
}

async function route() {
  const editor = policyEditor();
  const prompt = editor && (await vscode.window.showInputBox({ prompt: "The prompt to route", ignoreFocusOut: true }));
  if (prompt) {
    await show(editor.document, routeArguments(editor.document.uri.fsPath, prompt));
  }
}

async function restart() {
  await stop();
  for (const document of vscode.workspace.textDocuments) {
    await opened(document);
  }
}

async function activate(context) {
  output = vscode.window.createOutputChannel(SECTION);
  context.subscriptions.push(
    output,
    vscode.commands.registerCommand("vsr-compile.explain", explain),
    vscode.commands.registerCommand("vsr-compile.route", route),
    vscode.commands.registerCommand("vsr-compile.restart", restart),
    vscode.workspace.onDidOpenTextDocument(opened),
    // A new file becomes a policy when it is first saved with its kind.
    vscode.workspace.onDidSaveTextDocument(opened),
    vscode.window.onDidChangeActiveTextEditor(focused),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("vsr-compile.command") && restart()),
  );
  await focused(vscode.window.activeTextEditor);
  for (const document of vscode.workspace.textDocuments) {
    await opened(document);
  }
}

module.exports = { activate, deactivate: stop };
