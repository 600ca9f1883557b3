import { fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "./published.ts";
import { installTool } from "./tools.ts";

/** A registry in a process of its own. */
export interface Registry {
  readonly url: string;
  /** Settings for npm and its kind: this registry, and somebody whom it knows. */
  readonly npmrc: string;
  close(): Promise<void>;
}

/** How long it may take to listen. */
const START_TIMEOUT_MS = 120_000;

/** So that it is not left alone if this process is killed. */
const LEAVE_WITH_PARENT = 'data:text/javascript,process.on("disconnect", () => process.exit())';

/**
 * Starts verdaccio on loopback, with what is published in a folder. Packages that are not ours it takes from the registry that npm is set to.
 * @throws Error with its log when it does not start.
 */
export async function startRegistry(folder: string): Promise<Registry> {
  // One of its dependencies wants a version by a tag that not every mirror has.
  const overrides = { "node-fetch": "^2.7.0" };
  const { path } = await installTool({ name: "verdaccio", range: "6", bin: "verdaccio", overrides });
  const uplink = (await run("npm", ["config", "get", "registry"])).stdout.trim();
  await mkdir(folder, { recursive: true });
  const config = {
    storage: join(folder, "storage"),
    uplinks: { usual: { url: uplink, cache: false, timeout: "120s" } },
    packages: {
      "@parley/*": { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "usual" },
    },
    // Tarballs of packages with many platforms are large.
    max_body_size: "100mb",
    log: { type: "stdout", format: "json", level: "warn" },
  };
  // YAML takes JSON.
  await writeFile(join(folder, "config.yaml"), JSON.stringify(config));
  const port = await freePort();
  const listen = ["--config", join(folder, "config.yaml"), "--listen", `http://127.0.0.1:${port}`];
  const child = fork(path, listen, { cwd: folder, silent: true, execArgv: ["--import", LEAVE_WITH_PARENT] });
  const log = join(folder, "log.txt");
  const output = createWriteStream(log);
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(output, { end: false });
  const exited = once(child, "exit");
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    output.end();
    await finished(output);
  };
  // It says so to whoever forked it.
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const started = await Promise.race([
    once(child, "message", { signal }).then(() => true),
    exited.then(() => false),
  ]).catch(() => false);
  if (!started) {
    await close();
    throw new Error(`verdaccio does not start:\n${await readFile(log, "utf8")}`);
  }
  const url = `http://127.0.0.1:${port}/`;
  return { url, npmrc: `registry=${url}\n//127.0.0.1:${port}/:_authToken=rehearsal\n`, close };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  server.close();
  await once(server, "close");
  return port;
}
