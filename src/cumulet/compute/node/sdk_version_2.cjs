// The AWS SDK for JavaScript, version 2, knows no AWS_ENDPOINT_URL: its clients are led to it when it is loaded.
// An endpoint that the function sets itself, for all clients or for one, stays.

"use strict";

const Module = require("node:module");

const LOADED = /[\\/]aws-sdk[\\/]lib[\\/](core|node_loader)\.js$/; // the second replaces the configuration of the first

/** Let the SDK's clients use `endpoint`, wherever it is loaded from. */
exports.lead = function lead(endpoint) {
  if (!endpoint) return;
  const load = Module._extensions[".js"];
  Module._extensions[".js"] = function loadAndConfigure(module, filename) {
    load.call(this, module, filename);
    if (LOADED.test(filename)) configure(module.exports, endpoint);
  };
};

function configure(sdk, endpoint) {
  const { config } = sdk;
  if (!config || config.endpoint) return;
  config.update({ endpoint, s3ForcePathStyle: true });
}
