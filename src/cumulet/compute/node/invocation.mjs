// One event for the handler, in each of the ways in which a handler may answer: a promise, a callback, the context's
// old methods, a stream.

import { describe } from "./errors.mjs";
import { ResponseStream, isStreaming } from "./streaming.mjs";

/** Run the handler and send what it answers; done when that has arrived. */
export async function run(handler, { headers, payload, requestId }, api, log) {
  log.requestId = requestId;
  setTrace(headers["lambda-runtime-trace-id"]);
  const context = contextOf(headers, requestId);
  try {
    const event = JSON.parse(payload);
    if (isStreaming(handler)) {
      await streamed(handler, event, context, new ResponseStream(api, requestId));
    } else {
      await api.respond(requestId, serialized(await answered(handler, event, context)));
    }
  } catch (error) {
    log.failure("Invoke Error", error);
    await api.fail(requestId, describe(error));
  }
}

/** Return what the handler answers. One that does not is done when there is nothing left that could make it. */
async function answered(handler, event, context) {
  let nothingLeft;
  const settled = new Promise((resolve, reject) => {
    let settle = () => resolve(null);
    nothingLeft = () => settle();
    const done = (error, result) => {
      settle = error === undefined || error === null ? () => resolve(result) : () => reject(error);
      if (!context.callbackWaitsForEmptyEventLoop) setImmediate(settle);
    };
    context.done = (error, result) => {
      context.callbackWaitsForEmptyEventLoop = false;
      done(error, result);
    };
    context.succeed = (result) => context.done(null, result);
    context.fail = (error) => context.done(error ?? "handled");
    const result = handler(event, context, done);
    if (typeof result?.then === "function") result.then(resolve, reject);
  });
  process.once("beforeExit", nothingLeft);
  try {
    return await settled;
  } finally {
    process.off("beforeExit", nothingLeft);
  }
}

async function streamed(handler, event, context, stream) {
  const end = () => stream.end();
  try {
    await handler(event, stream, context);
    process.once("beforeExit", end);
    await stream.done;
  } catch (error) {
    if (!stream.hasBegun) throw error;
    await stream.breakOff(error);
  } finally {
    process.off("beforeExit", end);
  }
}

function serialized(result) {
  try {
    return JSON.stringify(result) ?? "null";
  } catch {
    throw new Error("Unable to stringify response body");
  }
}

function contextOf(headers, requestId) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers["lambda-runtime-client-context"]),
    identity: parsed(headers["lambda-runtime-cognito-identity"]),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function parsed(text) {
  return text === undefined ? undefined : JSON.parse(text);
}

function setTrace(trace) {
  if (trace === undefined) {
    delete process.env._X_AMZN_TRACE_ID;
  } else {
    process.env._X_AMZN_TRACE_ID = trace;
  }
}
