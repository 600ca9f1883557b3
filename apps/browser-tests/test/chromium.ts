import { createHash, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { certificates } from "@parley/test-certificates";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Actions } from "../src/page.ts";

const executablePath = "/usr/bin/chromium";

/** Why tests in a browser cannot run here; undefined when they can, and in CI, where they have to. */
export const missing: string | undefined =
  process.env["CI"] || existsSync(executablePath) ? undefined : `${executablePath} is not installed here`;

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium, without a window and with a new profile. It trusts the server's certificate of the tests, or else the system's authorities alone. */
export function startChromium({ trusting = false } = {}): Promise<Browser> {
  const args = trusting ? [...flags, `--ignore-certificate-errors-spki-list=${serverKeyHash()}`] : flags;
  return chromium.launch({ executablePath, args, timeout: 60_000 });
}

function serverKeyHash(): string {
  const { publicKey } = new X509Certificate(certificates.serverCert);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}

/** A web server with files for pages. */
export interface Site extends AsyncDisposable {
  /** As a browser says it. */
  readonly origin: string;
}

/** The text of a file, by its path; undefined where there is none, and an empty page takes its place. */
export type FileOf = (path: string) => string | undefined | Promise<string | undefined>;

/** Serves files. What is beneath `/moved` has moved elsewhere. */
export async function openSite(fileOf: FileOf, { secure = false } = {}): Promise<Site> {
  const answer: RequestListener = async (request, response) => {
    const path = request.url ?? "/";
    if (path.startsWith("/moved")) return void response.writeHead(307, { location: "/" }).end();
    const type = path.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` });
    response.end((await fileOf(path)) ?? "<!doctype html><title>empty</title>");
  };
  const server = secure
    ? createSecureServer({ cert: certificates.serverCert, key: certificates.serverKey }, answer)
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  return {
    origin: `${secure ? "https" : "http"}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Serves a page that runs a script. */
export function openScript(script: string, options?: { readonly secure?: boolean }): Promise<Site> {
  const page = `<!doctype html><body><script type="module" src="/page.js"></script>`;
  return openSite((path) => (path === "/" ? page : path === "/page.js" ? script : undefined), options);
}

/** Has the page do one of its actions. */
export function act<Name extends keyof Actions>(
  page: Page,
  name: Name,
  ...args: Parameters<Actions[Name]>
): Promise<Awaited<ReturnType<Actions[Name]>>> {
  return page.evaluate(
    async ([called, given]) => {
      const { actions } = globalThis as unknown as { actions: Record<string, (...given: unknown[]) => unknown> };
      return actions[called]?.(...given);
    },
    [name, args] as const,
  ) as Promise<Awaited<ReturnType<Actions[Name]>>>; // what the page gives back is JSON
}
