import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

/** Starts Chromium, without a window and with a new profile. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags, timeout: 60_000 });
}

/** A web server with files for pages. */
export interface Site extends AsyncDisposable {
  /** As a browser says it. */
  readonly origin: string;
}

/** Serves files by their paths; what it has not is an empty page. */
export async function openSite(files: Readonly<Record<string, string | (() => Promise<string>)>>): Promise<Site> {
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    const type = path.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
    response.writeHead(200, { "content-type": type });
    if (typeof file === "function") file().then((text) => response.end(text));
    else response.end(file ?? "<!doctype html><title>empty</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
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
