// Answers in parts: `awslambda.streamifyResponse`, and the stream that such a handler writes to.

import { Writable } from "node:stream";

import { describe } from "./errors.mjs";
import { errorHeaders } from "./runtime_api.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const BYTES = "application/octet-stream";
const HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response";
const END_OF_PRELUDE = Buffer.alloc(8);

/** Does the handler write its answer to a stream? */
export function isStreaming(handler) {
  return handler[STREAMING] === "response";
}

/** The stream that a handler writes its answer to; the answer begins with the first part. */
export class ResponseStream extends Writable {
  hasBegun = false;
  #api;
  #requestId;
  #contentType = BYTES;
  #prelude;
  #request;
  #taken;

  constructor(api, requestId) {
    super();
    this.#api = api;
    this.#requestId = requestId;
    /** When the whole answer was taken. */
    this.done = new Promise((resolve, reject) => {
      this.on("error", reject);
      this.on("finish", () => this.#taken.then(resolve, reject));
    });
    this.done.catch(() => {});
  }

  setContentType(contentType) {
    this.#contentType = contentType;
  }

  /** Set status, headers and cookies of an HTTP response. */
  setPrelude(metadata) {
    this.setContentType(HTTP_RESPONSE);
    this.#prelude = Buffer.concat([Buffer.from(JSON.stringify(metadata)), END_OF_PRELUDE]);
  }

  /** End an answer that has begun with an error. */
  async breakOff(error) {
    const description = describe(error);
    this.#request.addTrailers({
      ...errorHeaders(description),
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(description)).toString("base64"),
    });
    this.#request.end();
    await this.#taken;
  }

  _write(part, _encoding, done) {
    this.#begin();
    this.#request.write(part, done);
  }

  _final(done) {
    this.#begin();
    this.#request.end(done);
  }

  #begin() {
    if (this.hasBegun) return;
    this.hasBegun = true;
    const { request, taken } = this.#api.stream(this.#requestId, this.#contentType);
    this.#request = request;
    this.#taken = taken;
    this.#taken.catch((error) => this.destroy(error));
    if (this.#prelude !== undefined) request.write(this.#prelude);
  }
}

/** The global that AWS gives to functions. */
export const awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = "response";
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, metadata) {
      stream.setPrelude(metadata);
      return stream;
    }
  },
};
