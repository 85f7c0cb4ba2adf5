// Ajv in strict mode, as SchemaStore runs it. SCHEMA names the file that `vsr-compile schema --form schemastore` printed.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const Ajv = require("ajv").default;
const addFormats = require("ajv-formats").default;
const YAML = require("yaml");

const schema = JSON.parse(fs.readFileSync(process.env.SCHEMA, "utf8"));
const name = path.basename(new URL(schema.$id).pathname, ".json");
const ajv = new Ajv({ strict: true });
addFormats(ajv);
const valid = ajv.compile(schema);

/** The documents of a folder; each begins with the comment that SchemaStore asks for. */
function documents(folder) {
  const files = fs.readdirSync(path.join(__dirname, folder, name)).map((file) => path.join(folder, name, file));
  assert.ok(files.length > 0);
  return files.map((file) => {
    const text = fs.readFileSync(path.join(__dirname, file), "utf8");
    assert.equal(text.split("\n")[0], `# yaml-language-server: $schema=../../schemas/json/${name}.json`);
    return [file, YAML.parse(text)];
  });
}

for (const [file, document] of documents("test")) {
  test(`${file} is valid`, () => assert.ok(valid(document), ajv.errorsText(valid.errors)));
}
for (const [file, document] of documents("negative_test")) {
  test(`${file} is not valid`, () => assert.ok(!valid(document)));
}
