// What is a policy, and how the program is called. Nothing here needs the editor.
"use strict";

const path = require("node:path");

const KIND = /^["']?kind["']?:[ \t]*["']?RoutingPolicy(?:Fragment)?\b/m;
const LONGEST = 1 << 20;

/** Whether a text is a policy or a fragment of one. */
function isPolicy(text) {
  return KIND.test(text.length > LONGEST ? text.slice(0, LONGEST) : text);
}

/** Whether a text is a policy that can be explained and routed by itself. */
function isWhole(text) {
  const kind = KIND.exec(text.length > LONGEST ? text.slice(0, LONGEST) : text);
  return kind !== null && !kind[0].endsWith("Fragment");
}

/** The program of the setting, with the folder in place of `${workspaceFolder}`. */
function program(setting, folder) {
  const command = (setting || "").trim() || "vsr-compile";
  if (!folder) {
    return command;
  }
  const placed = command.split("${workspaceFolder}").join(folder);
  return placed.includes("/") && !path.isAbsolute(placed) ? path.join(folder, placed) : placed;
}

/** The arguments that explain a line of a policy; lines count from 1. */
function explainArguments(file, line) {
  return ["explain", `${file}:${line}`];
}

/** The arguments that route a prompt. Nothing that a prompt begins with is taken for a flag. */
function routeArguments(file, prompt) {
  return ["route", "--", file, prompt];
}

module.exports = { explainArguments, isPolicy, isWhole, program, routeArguments };
