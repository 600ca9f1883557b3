import { answererItem, type Handler } from "@parley/core/transport";
import { beforeEach, expect, test } from "vitest";
import { browse, missing } from "../test/browser.ts";
import { cable } from "../test/cable.ts";
import { announcing, type WebServer, webServer } from "../test/wires.ts";
import { type SseOptions, sse } from "./index.ts";

/** Told what a page has seen, line by line. */
interface Page extends AsyncDisposable {
  until(line: string): Promise<readonly string[]>;
}

/** Opens a page with this script in Chromium; `tell(text)` in it is a line here. */
async function page({ server, port }: WebServer, script: string): Promise<Page> {
  const lines: string[] = [];
  const looks = new Set<() => void>();
  server.on("request", (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(200, { "content-type": "text/html" });
      return response.end(`<script>
        let order = Promise.resolve();
        const tell = (text) => { order = order.then(() => fetch("/told", { method: "POST", body: String(text) })); };
        ${script}
      </script>`);
    }
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      response.end();
      lines.push(text);
      for (const look of looks) look();
    });
  });
  const browser = await browse(`http://127.0.0.1:${port}/page`);
  return {
    until: (line) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!lines.includes(line)) return;
          looks.delete(look);
          resolve(lines);
        };
        looks.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}

/** A subscription that gets numbers, each when it is asked for. */
function counter(): { readonly handler: Handler; next(): void } {
  let wake = (): void => {};
  let due = 0;
  return {
    next() {
      due++;
      wake();
    },
    handler: announcing({ "test.news": "subscribe" }, (call) => ({
      output: (async function* () {
        for (let value = 1; ; value++) {
          while (value > due) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          yield answererItem(call.message, "/agent", value, value);
        }
      })(),
    })),
  };
}

/** An agent that pages of a web server may subscribe to, by a way that can be cut. */
async function open(handler: Handler, options: SseOptions = {}) {
  const way = await cable();
  const web = await webServer();
  const origin = `http://127.0.0.1:${web.port}`;
  const listener = await sse({ ...options, allowedOrigins: [origin] }).listen(new URL("sse://127.0.0.1:0"), handler);
  return {
    way,
    web,
    url: `http://${way.via(listener.url).host}`,
    async [Symbol.asyncDispose]() {
      way[Symbol.dispose]();
      web[Symbol.dispose]();
      await listener.close({ graceMs: 0 });
    },
  };
}

const reason = missing("chromium");
const chromium = { timeout: 60_000 };

beforeEach(({ skip }) => skip(reason !== undefined, reason));

test("a page's EventSource reads a subscription, and goes on after a cut without gap or double", chromium, async () => {
  const { handler, next } = counter();
  await using it = await open(handler);
  await using view = await page(
    it.web,
    `
      const source = new EventSource("${it.url}/test.news.v1?topic=a");
      source.onmessage = ({ data }) => tell(JSON.parse(data).data);
      source.onopen = () => tell("open");
    `,
  );
  await view.until("open");
  for (const value of [1, 2, 3]) {
    next();
    await view.until(String(value));
  }
  it.way.cut();
  for (const value of [4, 5]) {
    next();
    await view.until(String(value));
  }
  expect((await view.until("5")).filter((line) => line !== "open")).toEqual(["1", "2", "3", "4", "5"]);
});

test("a page learns of a gap once, by a fault, and its EventSource stops", chromium, async () => {
  const { handler, next } = counter();
  await using it = await open(handler, { resumeWindowMs: 50 });
  await using view = await page(
    it.web,
    `
      const source = new EventSource("${it.url}/test.news.v1?topic=a");
      source.onmessage = ({ data }) => tell(JSON.parse(data).data);
      source.addEventListener("fault", ({ data }) => tell(JSON.parse(data).data.code));
      source.onerror = () => { if (source.readyState === EventSource.CLOSED) tell("closed"); };
    `,
  );
  next();
  await view.until("1");
  it.way.cut();
  expect(await view.until("closed")).toEqual(["1", "data_loss", "closed"]);
});

test("a page subscribes to many topics by one EventSource, and its other requests still pass", chromium, async () => {
  const { handler, next } = counter();
  await using it = await open(handler);
  const topics = Array.from({ length: 12 }, (_, index) => `topic=a/${index}`).join("&");
  await using view = await page(
    it.web,
    `
      const source = new EventSource("${it.url}/test.news.v1?${topics}");
      source.onmessage = async () => tell((await fetch("${it.url}/healthz")).status);
    `,
  );
  next();
  await view.until("200");
});
