// One call and how long it takes, its answer checked.

import { type Agent, get } from "node:http";

/** Milliseconds from request to the whole answer, which has to be 200 with this text. */
export function timedCall(url: string, agent: Agent, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    get(url, { agent }, (answer) => {
      let received = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        received += chunk;
      });
      answer.on("end", () => {
        const ms = performance.now() - start;
        if (answer.statusCode === 200 && received === text) resolve(ms);
        else reject(new Error(`${url}: ${answer.statusCode} ${received}`));
      });
      answer.on("error", reject);
    }).on("error", reject);
  });
}
