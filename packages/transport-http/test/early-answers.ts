import { request } from "node:http";

// Uploads with a plain HTTP client to a server that answers at the first line; counts the answers that arrive.
const [, , url = "", times = "0"] = process.argv;
const event = { specversion: "1.0", parley: "1", source: "urn:test", type: "text.echo.v1" };
const opener = `${JSON.stringify({ ...event, kind: "client-stream", id: "u" })}\n`;
const item = `${JSON.stringify({ ...event, kind: "item", id: "u.c", data: "x".repeat(4_096) })}\n`;

function upload(): Promise<boolean> {
  return new Promise((resolve) => {
    const sending = request(url, {
      method: "POST",
      headers: { "content-type": "application/cloudevents+ndjson" },
      agent: false,
    });
    let left = 100;
    const more = (): void => {
      while (left-- > 0) if (!sending.write(item)) return void sending.once("drain", more);
      sending.end();
    };
    sending.on("error", () => resolve(false));
    sending.on("response", (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text.includes('"early"')));
      response.on("error", () => resolve(false));
    });
    sending.write(opener);
    setImmediate(more);
  });
}

let whole = 0;
for (let index = 0; index < Number(times); index++) if (await upload()) whole++;
process.stdout.write(String(whole));
process.exit(0);
