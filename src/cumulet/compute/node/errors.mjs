// Errors in the shape in which callers and logs see them; and the runtime's own, with AWS's names and words.

import { types } from "node:util";

class RuntimeFault extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

export class HandlerNotFound extends RuntimeFault {
  constructor(message) {
    super("HandlerNotFound", message);
  }
}

export class MalformedHandlerName extends RuntimeFault {
  constructor(message) {
    super("MalformedHandlerName", message);
  }
}

export class CallbackHandlerDeprecated extends RuntimeFault {
  constructor() {
    super(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
        "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
}

export class UnhandledPromiseRejection extends RuntimeFault {
  constructor(reason, promise) {
    super("UnhandledPromiseRejection", String(reason));
    this.reason = isError(reason) ? describeForLog(reason) : reason;
    this.promise = promise;
  }
}

/** Return the error for a module that could not be loaded. */
export function importFailure(error) {
  if (error instanceof SyntaxError) return renamed("UserCodeSyntaxError", error);
  if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) return renamed("ImportModuleError", error);
  return error;
}

/** Return what the caller of an invocation gets. */
export function describe(error) {
  if (!isError(error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name ?? "Error", errorMessage: error.message, trace: stackOf(error) };
}

/** Return what a log line tells of an error: also what else it has. */
export function describeForLog(error) {
  const { trace, ...about } = describe(error);
  if (!isError(error)) return { ...about, trace };
  const { name, message, stack, ...more } = error;
  return { ...about, ...more, stack: trace };
}

export function isError(value) {
  return value instanceof Error || types.isNativeError(value);
}

function stackOf(error) {
  return typeof error.stack === "string" ? error.stack.split("\n") : [];
}

function renamed(name, error) {
  const fault = new RuntimeFault(name, `${error.name}: ${error.message}`);
  const place = stackOf(error).join("\n").replace(fault.message, "");
  fault.stack = [`${fault.name}: ${fault.message}`, ...place.split("\n").filter(Boolean)].join("\n");
  return fault;
}
