import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../../examples/snippets/test/compile.ts";
import { snippetsOf } from "../../../examples/snippets/test/snippets.ts";
import { bundle } from "./bundle.ts";
import { act, missing, openScript, openSite, type Site, startChromium } from "./chromium.ts";
import { openLab } from "./lab.ts";

const wires = ["ws", "sse", "http"] as const;
const patience = { timeout: 30_000, interval: 20 };
const docs = readFileSync(new URL("../../../docs/browser.md", import.meta.url), "utf8");

describe.skipIf(missing)("a page in Chromium", { timeout: 60_000 }, () => {
  let browser: Browser;
  let site: Site;
  let page: Page;

  beforeAll(async () => {
    site = await openScript((await bundle(`import "./page.ts";`)).text);
    browser = await startChromium();
    page = await browser.newPage();
    await page.goto(site.origin);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
  }, 60_000);

  it.each(wires)(
    "of an origin that the agent does not admit fails over %s, and is told of the option",
    async (wire) => {
      await using lab = await openLab({ allowedOrigins: ["https://app.example"] });
      const failure = await act(page, "dialFailure", lab.urls[wire].href);
      expect(failure).toMatchObject({ code: "unavailable", outcome: "not-sent" });
      expect(failure.message).toContain(`does not admit pages of ${site.origin} (its option allowedOrigins)`);
    },
  );

  it("finds nobody, and is told so", async () => {
    const lab = await openLab({ allowedOrigins: [] });
    await lab[Symbol.asyncDispose]();
    for (const wire of wires) {
      const { code, message } = await act(page, "dialFailure", lab.urls[wire].href);
      expect([code, message]).toEqual([
        "unavailable",
        expect.stringContaining("does not say whether it is not reached"),
      ]);
    }
  });

  it("follows no redirect, and is told of it", async () => {
    const { code, message } = await act(page, "dialFailure", `${site.origin}/moved`);
    expect([code, message]).toEqual(["unavailable", expect.stringContaining("a redirect, which is not followed")]);
  });

  it.each(wires)("shows a token over %s, and is turned away without one", async (wire) => {
    await using lab = await openLab({ allowedOrigins: [site.origin], authenticated: true });
    const url = lab.urls[wire].href;
    expect(await act(page, "whoami", url, "ada")).toBe("ada");
    expect(await act(page, "dialFailure", url)).toMatchObject({ code: "unauthenticated" });
  });

  it("is told why an option is of no use there", async () => {
    expect(await act(page, "misuses")).toEqual([
      expect.stringMatching(/^ws: the option tls is of no effect in a browser: /),
      expect.stringMatching(/^ws: the option headers is of no effect in a browser: .*credentials/),
      expect.stringMatching(/^sse: the option allowedOrigins is of no effect in a browser: a page does not listen/),
      expect.stringMatching(/^the header cookie is not for pages to set/),
      expect.stringMatching(/^http: certificate\(\) is of no effect in a browser: /),
      expect.stringMatching(/^WebSocketClient does not run in a browser: use its WebSocket; /),
      expect.stringMatching(/^SseClient does not run in a browser: use its EventSource; /),
      expect.stringMatching(/^HttpClient does not run in a browser: use its fetch; /),
      expect.stringMatching(/^ws cannot listen here: /),
    ]);
  });

  it("does later what is to be done later, in its order", async () => {
    const order = ["now", "end of the turn", "next turn", "its end", "third turn"];
    expect(await act(page, "turns")).toEqual(order);
  });

  it("needs no bundler, with the import map of docs/browser.md", async () => {
    const [map = ""] = /<script type="importmap">.*?<\/script>/s.exec(docs) ?? [];
    const withZod = map.replace(`{ "imports": {`, `{ "imports": { "zod": "/node_modules/zod/index.js",`);
    const script = `
      import { connect, contract, request } from "@parley/core";
      import { http } from "@parley/transport-http";
      import { sse } from "@parley/transport-sse";
      import { ws } from "@parley/transport-ws";
      import { z } from "zod";
      const lab = contract("lab", { greet: request({ input: z.object({ name: z.string() }), output: z.string() }) });
      globalThis.greet = async (url) => {
        const remote = await connect(lab, url, { transports: [ws(), sse(), http()] });
        try { return await remote.greet({ name: "Ada" }); } finally { await remote.close(); }
      };
    `;
    await using modules = await openSite((path) => {
      if (path === "/") return `<!doctype html>${withZod}<script type="module">${script}</script>`;
      return path.startsWith("/node_modules/") ? readFileSync(installed(path), "utf8") : undefined;
    });
    await using lab = await openLab({ allowedOrigins: [modules.origin] });
    const native = await browser.newPage();
    const errors: Error[] = [];
    native.on("pageerror", (error) => errors.push(error));
    await native.goto(modules.origin, { waitUntil: "load" });
    expect(errors).toEqual([]);
    for (const wire of wires) {
      expect(await native.evaluate(`greet(${JSON.stringify(lab.urls[wire].href)})`)).toBe("Hello, Ada!");
    }
    await native.close();
  });

  it("runs the program of docs/browser.md", async () => {
    await using files = await openSite(async (path) => {
      if (path === "/") return `<!doctype html><body><script type="module" src="/page.js"></script>`;
      return path === "/page.js" ? script : undefined;
    });
    const port = await freePort();
    const snippets = snippetsOf("docs/browser.md", (text) =>
      text.replaceAll(":7070", `:${port}`).replaceAll("http://127.0.0.1:8080", files.origin),
    );
    let server: ChildProcess | undefined;
    let script = "";
    try {
      await compile({ folder: snippets.folder, files: ["contract.ts", "server.ts"] });
      await compilePage(snippets.folder);
      script = (await bundle(`import "./page.ts";`, { folder: snippets.folder })).text;
      server = spawn(process.execPath, ["server.ts"], { cwd: snippets.folder, stdio: "ignore" });
      await expect.poll(() => listens(port), patience).toBe(true);
      const view = await browser.newPage();
      await view.goto(files.origin);
      await expect.poll(() => view.textContent("body"), patience).toBe("HELLO, one, at, a, time");
      await view.close();
    } finally {
      if (server?.kill()) await once(server, "exit");
      rmSync(snippets.folder, { recursive: true, force: true });
    }
  });

  it.each(["sse", "http"] as const)(
    "of an admitted origin alone is answered when its browser asks over %s",
    async (wire) => {
      await using lab = await openLab({ allowedOrigins: [site.origin] });
      const asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-tenant",
      };
      const admitted = await preflight(lab.urls[wire], { ...asked, origin: site.origin });
      expect(admitted).toMatchObject({
        status: 204,
        headers: {
          "access-control-allow-origin": site.origin,
          "access-control-allow-headers": "content-type,x-tenant",
          "access-control-allow-methods": expect.stringContaining("POST"),
          "access-control-expose-headers": "Retry-After",
          vary: "Origin",
        },
      });
      const foreign = await preflight(lab.urls[wire], { ...asked, origin: "https://other.example" });
      expect(foreign.status).toBe(403);
      expect(Object.keys(foreign.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      expect(foreign.text).toContain("option allowedOrigins");
    },
  );
});

/** Type-checks the page as docs/browser.md says. */
async function compilePage(folder: string): Promise<void> {
  const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
  const flags =
    "--noEmit --strict --module nodenext --target es2023 --lib es2024,esnext.disposable,dom --customConditions browser --allowImportingTsExtensions --ignoreConfig";
  await promisify(execFile)(tsc, [...flags.split(" "), "page.ts"], { cwd: folder }).catch(
    ({ stdout }: { stdout: string }) => {
      throw new Error(stdout);
    },
  );
}

/** Where a file of the import map is installed here. */
function installed(path: string): string {
  const own = path.includes("/eventsource-parser/") ? "../../packages/transport-sse" : ".";
  return join(import.meta.dirname, "..", own, path);
}

async function freePort(): Promise<number> {
  const server = await openSite(() => undefined);
  await server[Symbol.asyncDispose]();
  return Number(new URL(server.origin).port);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** What a browser asks before a page calls. */
function preflight(
  { port }: URL,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: "127.0.0.1", port, method: "OPTIONS", path: "/lab.greet.v1", headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    asking.on("error", reject);
    asking.end();
  });
}
