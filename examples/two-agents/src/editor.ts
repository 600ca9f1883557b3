import { agent, connect, serve } from "@parley/core";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import { answers } from "./contract.ts";

const [expertUrl = "ws://127.0.0.1:7070", ownUrl = "ws://127.0.0.1:7071"] = process.argv.slice(2);
const transports = [ws(), http()];

const expert = await connect(answers, expertUrl, { transports });

const editor = agent(answers, {
  // Bound to the call: when the caller leaves or its deadline passes, the question to the expert ends too.
  async *ask({ question }, call) {
    let first = true;
    for await (const { word } of call.client(expert).ask({ question })) {
      yield { word: first ? word.charAt(0).toUpperCase() + word.slice(1) : word };
      first = false;
    }
    yield { word: "— that is all." };
  },
});

const server = await serve(editor, [ownUrl], { transports });
console.log(`editor at ${server.urls.join(", ")}`);
process.once("SIGTERM", async () => {
  await server.close();
  await expert.close();
});
