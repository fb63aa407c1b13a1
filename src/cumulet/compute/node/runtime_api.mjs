// The Lambda Runtime API, over one connection that is kept.

import http from "node:http";

const PREFIX = "/2018-06-01/runtime/";

export class RuntimeApi {
  #options;

  constructor(address) {
    const at = address.lastIndexOf(":");
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this.#options = { host: address.slice(0, at), port: Number(address.slice(at + 1)), agent };
  }

  /** Wait for the next event. */
  async next() {
    const { headers, body } = await received(this.#request("GET", "invocation/next").end());
    return { headers, payload: body, requestId: headers["lambda-runtime-aws-request-id"] };
  }

  /** Answer an event with JSON text. */
  async respond(requestId, text) {
    await this.#post(`invocation/${requestId}/response`, text, {});
  }

  /** Answer an event with an error. */
  async fail(requestId, error) {
    await this.#post(`invocation/${requestId}/error`, JSON.stringify(error), errorHeaders(error));
  }

  /** Say that the handler could not be loaded. */
  async failInit(error) {
    await this.#post("init/error", JSON.stringify(error), errorHeaders(error));
  }

  /** Begin to answer an event in parts; return the request to write them to, and what is done when it was taken. */
  stream(requestId, contentType) {
    const request = this.#request("POST", `invocation/${requestId}/response`, {
      "Content-Type": contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
      Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    });
    return { request, taken: received(request) };
  }

  async #post(path, text, headers) {
    const body = Buffer.from(text);
    const request = this.#request("POST", path, {
      "Content-Type": "application/json",
      "Content-Length": body.length,
      ...headers,
    });
    await received(request.end(body));
  }

  #request(method, path, headers = {}) {
    return http.request({ ...this.#options, method, path: PREFIX + path, headers });
  }
}

/** Return the header that names an error. */
export function errorHeaders(error) {
  return { "Lambda-Runtime-Function-Error-Type": error.errorType.replaceAll(/[^\x20-\x7e]/g, "?") };
}

function received(request) {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const parts = [];
      response.on("error", reject);
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
  });
}
