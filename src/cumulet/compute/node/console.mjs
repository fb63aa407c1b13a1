// What `console` writes, in AWS's two formats. A message may have many lines: it goes out as one frame where the
// environment has a descriptor for that, so that it stays one log event.

import { writeSync } from "node:fs";
import { format } from "node:util";

import { describe, describeForLog, isError } from "./errors.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const METHODS = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO",
  log: "INFO",
  warn: "WARN",
  error: "ERROR",
  fatal: "FATAL",
};
const FRAME = 0xa55a0003;
const HEAD_BYTES = 16;
const STANDARD_OUTPUT = 1;
const RETRY_MS = 1;

const asleep = new Int32Array(new SharedArrayBuffer(4));

export class LambdaConsole {
  /** The invocation that is being worked on. */
  requestId = undefined;
  #isJson;
  #lowest;
  #descriptor;

  constructor(variables) {
    this.#isJson = variables.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
    this.#lowest = Math.max(0, LEVELS.indexOf(variables.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
    const descriptor = variables._LAMBDA_TELEMETRY_LOG_FD;
    this.#descriptor = descriptor === undefined ? undefined : Number(descriptor);
    delete variables._LAMBDA_TELEMETRY_LOG_FD;
  }

  /** Let a console's methods write in this format. */
  install(console) {
    for (const [method, level] of Object.entries(METHODS)) {
      console[method] = (...values) => this.#log(level, values);
    }
  }

  /** Log an error that the function did not handle. */
  failure(title, error) {
    if (this.#isJson) {
      const { errorType, errorMessage, trace } = describe(error);
      this.#log("ERROR", [{ errorType, errorMessage, stackTrace: trace }]);
    } else {
      this.#log("ERROR", [title, `\t${stringify(describeForLog(error))}`]);
    }
  }

  #log(level, values) {
    if (LEVELS.indexOf(level) < this.#lowest) return;
    const time = new Date().toISOString();
    if (this.#isJson) {
      this.#write(jsonLine({ timestamp: time, level, requestId: this.requestId }, values));
    } else {
      this.#write(`${time}\t${this.requestId}\t${level}\t${format(...values)}`);
    }
  }

  #write(message) {
    if (this.#descriptor === undefined) {
      writeAll(STANDARD_OUTPUT, Buffer.from(`${message.replaceAll("\n", "\r")}\n`));
      return;
    }
    const text = Buffer.from(`${message}\n`);
    const frame = Buffer.alloc(HEAD_BYTES + text.length);
    frame.writeUInt32BE(FRAME, 0);
    frame.writeUInt32BE(text.length, 4);
    frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
    text.copy(frame, HEAD_BYTES);
    writeAll(this.#descriptor, frame);
  }
}

function jsonLine(line, values) {
  if (values.length === 1) {
    const [message] = values;
    try {
      return JSON.stringify({ ...line, message }, (_, value) => (isError(value) ? describeForJson(value) : value));
    } catch {
      return JSON.stringify({ ...line, message: format(message) });
    }
  }
  const error = values.find(isError);
  return JSON.stringify({ ...line, message: format(...values), ...(error && describeForJson(error)) });
}

function describeForJson(error) {
  const { errorMessage, trace } = describe(error);
  return { errorType: error.constructor?.name ?? "UnknownError", errorMessage, stackTrace: trace };
}

function stringify(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return format(value);
  }
}

/** Write all of it; the pipe may be full, and not wait for us. */
function writeAll(descriptor, bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(asleep, 0, 0, RETRY_MS);
    }
  }
}
