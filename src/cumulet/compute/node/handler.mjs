// Finds the handler that a name like `folder/file.handler` means, in an ES module or a CommonJS one.

import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { HandlerNotFound, MalformedHandlerName, importFailure } from "./errors.mjs";

const NAME = /^([^.]*)\.(.*)$/;

const require = createRequire(new URL("index.mjs", import.meta.url));

/** Return the function; throws an error with AWS's name for what is wrong. */
export async function loadHandler(root, name) {
  const { folder, file, members } = parse(name);
  const module = await load(root, folder, file);
  const handler = members.split(".").reduce((value, member) => value?.[member], module);
  if (!handler) throw new HandlerNotFound(`${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new HandlerNotFound(`${name} is not a function`);
  return handler;
}

function parse(name) {
  if (name.includes("..")) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(name);
  const match = NAME.exec(base);
  if (match === null) throw new MalformedHandlerName("Bad handler");
  return { folder: name.slice(0, -base.length), file: match[1], members: match[2] };
}

async function load(root, folder, file) {
  const above = path.resolve(root, folder);
  const place = path.join(above, file);
  try {
    if (isFile(place)) return require(place);
    if (isFile(`${place}.js`)) {
      return isInModule(above) ? await import(pathToFileURL(`${place}.js`)) : require(`${place}.js`);
    }
    if (isFile(`${place}.mjs`)) return await import(pathToFileURL(`${place}.mjs`));
    if (isFile(`${place}.cjs`)) return require(`${place}.cjs`);
    return require(require.resolve(file, { paths: [root, above] }));
  } catch (error) {
    throw importFailure(error);
  }
}

/** Is `.js` an ES module in this folder? The nearest package.json says so. */
function isInModule(folder) {
  const file = path.join(folder, "package.json");
  if (!isFile(file)) {
    const above = path.dirname(folder);
    return above !== folder && isInModule(above);
  }
  return JSON.parse(readFileSync(file, "utf8")).type === "module";
}

function isFile(place) {
  return statSync(place, { throwIfNoEntry: false })?.isFile() ?? false;
}
