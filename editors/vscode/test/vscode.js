// A stand-in for the editor's API, as far as the extension and its language client use it.
"use strict";

const { pathToFileURL, fileURLToPath } = require("node:url");

class Disposable {
  constructor(dispose = () => {}) {
    this.dispose = dispose;
  }
  static from(...items) {
    return new Disposable(() => items.forEach((item) => item.dispose()));
  }
}

class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener, that) => {
      const bound = that ? listener.bind(that) : listener;
      this.listeners.add(bound);
      return new Disposable(() => this.listeners.delete(bound));
    };
  }
  fire(value) {
    return Promise.all([...this.listeners].map((listener) => listener(value)));
  }
  dispose() {
    this.listeners.clear();
  }
}

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = text.slice(0, text.indexOf(":"));
    this.fsPath = this.scheme === "file" ? fileURLToPath(text) : text;
  }
  static file(file) {
    return new Uri(pathToFileURL(file).href);
  }
  static parse(text) {
    return new Uri(text);
  }
  toString() {
    return this.text;
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(a, b, c, d) {
    this.start = a instanceof Position ? a : new Position(a, b);
    this.end = a instanceof Position ? b : new Position(c, d);
  }
}

class Record {
  constructor(...values) {
    this.values = values;
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class TextEdit {
  constructor(range, newText) {
    Object.assign(this, { range, newText });
  }
}

class WorkspaceEdit {
  constructor() {
    this.edits = [];
  }
  replace(uri, range, newText) {
    this.edits.push({ uri: uri.toString(), range, newText });
  }
  set(uri, edits) {
    this.edits.push(...edits.map((edit) => ({ uri: uri.toString(), range: edit.range, newText: edit.newText })));
  }
}

class CancellationTokenSource {
  constructor() {
    this.token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable() };
  }
  cancel() {}
  dispose() {}
}

const NUMBERS = new Proxy({}, { get: (_, name) => (typeof name === "string" ? name.length : undefined) });

/** Make the stand-in. `settings` are by their whole name. */
function editor(settings, folder) {
  const events = {};
  const event = (name) => (events[name] ??= new EventEmitter()).event;
  const seen = { channels: [], commands: {}, context: {}, diagnostics: new Map(), errors: [], providers: {}, shown: [] };
  const message = (kind) => (text) => {
    seen[kind].push(text);
    return Promise.resolve(undefined);
  };
  const registers = new Proxy(
    {
      match: (selector, document) => selector.some((one) => one.scheme === document.uri.scheme && one.language === document.languageId) ? 10 : 0,
      createDiagnosticCollection: () => {
        const set = (uri, items) => {
          seen.diagnostics.set(uri.toString(), items);
          events.diagnostics?.fire(uri.toString());
        };
        return { set, delete: (uri) => set(uri, []), has: () => false, clear() {}, dispose() {}, get: () => undefined };
      },
    },
    {
      get: (own, name) =>
        own[name] ??
        ((_, provider) => {
          seen.providers[String(name).replace(/^register|Provider$/g, "")] = provider;
          return new Disposable();
        }),
    },
  );
  const channel = () => {
    const made = { text: "", append: (text) => (made.text += text), clear: () => (made.text = ""), show() {}, dispose() {} };
    made.appendLine = (text) => made.append(`${text}\n`);
    seen.channels.push(made);
    return made;
  };
  const workspace = {
    textDocuments: [],
    workspaceFolders: folder ? [{ uri: Uri.file(folder), name: "folder", index: 0 }] : undefined,
    getWorkspaceFolder: () => workspace.workspaceFolders?.[0],
    getConfiguration: (section) => ({ get: (name, other) => settings[`${section}.${name}`] ?? other }),
    createFileSystemWatcher: () => ({ onDidCreate: event("x"), onDidChange: event("x"), onDidDelete: event("x"), dispose() {} }),
    applyEdit: () => Promise.resolve(true),
  };
  const window = {
    tabGroups: { all: [], onDidChangeTabs: event("tabs") },
    createOutputChannel: channel,
    showErrorMessage: message("errors"),
    showWarningMessage: message("errors"),
    showInformationMessage: message("shown"),
    showInputBox: () => Promise.resolve(seen.typed),
    withProgress: (_, task) => task({ report() {} }, new CancellationTokenSource().token),
  };
  const events_ = (name) => event(name);
  const withEvents = (own) => new Proxy(own, { get: (it, name) => it[name] ?? (/^onDid|^onWill/.test(String(name)) ? events_(name) : undefined) });
  const known = {
    version: "1.90.0",
    env: { appName: "test", language: "en", openExternal: () => Promise.resolve(true) },
    commands: {
      registerCommand: (name, run) => {
        seen.commands[name] = run;
        return new Disposable();
      },
      executeCommand: (name, key, value) => {
        seen.context[key] = value;
        return Promise.resolve();
      },
    },
    languages: registers,
    window: withEvents(window),
    workspace: withEvents(workspace),
    CancellationError: class extends Error {},
    CancellationTokenSource, Diagnostic, Disposable, EventEmitter, Position, Range, TextEdit, Uri, WorkspaceEdit,
  };
  const CLASSES = /^(?:CallHierarchyItem|CodeAction|CodeLens|CompletionItem|DocumentLink|Hover|InlayHint|Location|MarkdownString|SymbolInformation|TabInput\w+|TypeHierarchyItem|SnippetString)$/;
  const api = new Proxy(known, {
    get: (own, name) => (name in own ? own[name] : CLASSES.test(String(name)) ? (own[name] = class extends Record {}) : name === "then" ? undefined : NUMBERS),
    has: () => true,
  });
  const document = (file, text) => ({
    uri: Uri.file(file),
    fileName: file,
    languageId: "yaml",
    version: 1,
    isDirty: false,
    lineCount: text.split("\n").length,
    getText: () => text,
    save: () => Promise.resolve(true),
  });
  return { api, document, events, seen, window, workspace };
}

module.exports = { EventEmitter, editor };
