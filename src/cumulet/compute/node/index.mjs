// How a Node.js runtime begins in an execution environment: /var/runtime/index.mjs, as on AWS.
//
// It loads the handler, then asks the Runtime API for one event after another. What escapes from the function's code
// ends the process, as on AWS, with the error as the answer to the event that was being worked on.

import { LambdaConsole } from "./console.mjs";
import { CallbackHandlerDeprecated, UnhandledPromiseRejection, describe } from "./errors.mjs";
import { loadHandler } from "./handler.mjs";
import { run } from "./invocation.mjs";
import { RuntimeApi } from "./runtime_api.mjs";
import sdk from "./sdk_version_2.cjs";
import { awslambda, isStreaming } from "./streaming.mjs";

const REJECTED = 128;
const UNCAUGHT = 129;
const FIRST_WITHOUT_CALLBACKS = 24;
const MOST_PARAMETERS = 2;

const log = new LambdaConsole(process.env);
const api = new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API);

async function end(error, title, exitCode) {
  log.failure(title, error);
  try {
    if (log.requestId === undefined) {
      await api.failInit(describe(error));
    } else {
      await api.fail(log.requestId, describe(error));
    }
  } finally {
    process.exit(exitCode);
  }
}

function check(handler) {
  const major = Number(/_nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]);
  if (major >= FIRST_WITHOUT_CALLBACKS && handler.length > MOST_PARAMETERS && !isStreaming(handler)) {
    throw new CallbackHandlerDeprecated();
  }
}

process.on("uncaughtException", (error) => end(error, "Uncaught Exception", UNCAUGHT));
process.on("unhandledRejection", (reason, promise) =>
  end(new UnhandledPromiseRejection(reason, promise), "Unhandled Promise Rejection", REJECTED),
);
globalThis.awslambda = awslambda;
log.install(console);
sdk.lead(process.env.AWS_ENDPOINT_URL);

try {
  const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  check(handler);
  for (;;) {
    await run(handler, await api.next(), api, log);
  }
} catch (error) {
  await end(error, "Uncaught Exception", UNCAUGHT);
}
