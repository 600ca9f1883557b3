import { connect } from "@parley/core";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import { answers } from "./contract.ts";

const [url = "ws://127.0.0.1:7071", question = "Why is the sky blue?"] = process.argv.slice(2);

const editor = await connect(answers, url, { transports: [ws(), http()] });
try {
  for await (const { word } of editor.ask({ question })) process.stdout.write(`${word} `);
  process.stdout.write("\n");
} finally {
  await editor.close();
}
