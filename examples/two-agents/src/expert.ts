import { setTimeout as sleep } from "node:timers/promises";
import { agent, ParleyError, serve } from "@parley/core";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import { answers } from "./contract.ts";

const facts: Readonly<Record<string, string>> = {
  "why is the sky blue?": "air scatters blue light more than red",
  "why is the sea salty?": "rivers bring salt and only water leaves",
};

const expert = agent(answers, {
  async *ask({ question }) {
    const fact = facts[question.toLowerCase()];
    if (!fact) throw new ParleyError("not_found", `the expert knows nothing of "${question}"`);
    for (const word of fact.split(" ")) {
      await sleep(50);
      yield { word };
    }
  },
});

const server = await serve(expert, [process.argv[2] ?? "ws://127.0.0.1:7070"], { transports: [ws(), http()] });
console.log(`expert at ${server.urls.join(", ")}`);
process.once("SIGTERM", () => server.close());
