// A page that is sent while it is written.
import { setTimeout as pause } from "node:timers/promises";

export const handler = awslambda.streamifyResponse(async (event, answer) => {
  for (const pigeon of ["Ada's", "Bob's", "Cleo's"]) {
    answer.write(`${pigeon} pigeon is on its way\n`);
    await pause(100); // somebody else's service
  }
  answer.end();
});
