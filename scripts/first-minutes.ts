import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
const readme = join(import.meta.dirname, "../README.md");

/** What following the page came to. */
export interface FirstMinutes {
  /** What went otherwise than the page says. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/**
 * Follows the first section of README.md as a new user does, in an empty folder: its commands in their order, its files, what it says is printed.
 * Packages are installed from the tarballs instead of the registry, and ports are free ones.
 */
export async function firstMinutes(tarballs: ReadonlyMap<string, string>, folder: string): Promise<FirstMinutes> {
  const start = performance.now();
  const blocks = await blocksOf("The first two minutes");
  const problems: string[] = [];
  const servers: AsyncDisposable[] = [];
  let cwd = folder;
  let printed = "";

  async function execute(line: string): Promise<void> {
    if (line === "node server.ts") {
      servers.push(await startServer(cwd));
      return;
    }
    const command = line.replaceAll(/@parley\/[\w-]+/g, (name) => tarballs.get(name) ?? name);
    try {
      printed = (await run("sh", ["-c", command], { cwd, env: userEnvironment() })).stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string }; // what execFile rejects with
      problems.push(`\`${line}\` failed\n${stdout}${stderr}`);
    }
    cwd = join(cwd, /\bcd (\S+)$/.exec(line)?.[1] ?? "");
  }

  try {
    for (const { language, body } of blocks) {
      if (language === "sh") for (const line of body.trim().split("\n")) await execute(line);
      else if (language === "text" && printed !== body)
        problems.push(`printed was ${JSON.stringify(printed)}, not what is shown`);
      else if (language === "ts") await writeFile(join(cwd, /^\/\/ (\S+\.ts)/.exec(body)?.[1] ?? ""), body);
    }
  } catch (error) {
    problems.push(String(error));
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
  return { problems, seconds: (performance.now() - start) / 1_000 };
}

interface Block {
  readonly language: string;
  readonly body: string;
}

/** The blocks of code in a section, with ports that nobody has. */
async function blocksOf(title: string): Promise<readonly Block[]> {
  const page = await readFile(readme, "utf8");
  const section = page.split(/^## /m).find((one) => one.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`README.md has no section "${title}"`);
  const ports = new Map([
    ["7070", await freePort()],
    ["8080", await freePort()],
  ]);
  const text = section.replaceAll(/:(7070|8080)\b/g, (_, port: string) => `:${ports.get(port)}`);
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", body = ""]) => ({ language, body }));
}

/** Starts the server of the page, which prints a line when it listens. */
async function startServer(cwd: string): Promise<AsyncDisposable> {
  const server = spawn("node", ["server.ts"], { cwd, env: userEnvironment(), stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(server, "exit");
  const listens = once(createInterface({ input: server.stdout }), "line");
  await Promise.race([listens, exited.then(() => Promise.reject(new Error("server.ts ended instead of listening")))]);
  return {
    async [Symbol.asyncDispose]() {
      server.kill();
      await exited;
    },
  };
}

/** With the Node that runs this; npm asks nobody, and takes what it has. */
function userEnvironment(): NodeJS.ProcessEnv {
  const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
  const quiet = { npm_config_audit: "false", npm_config_fund: "false", npm_config_prefer_offline: "true" };
  return { ...process.env, ...quiet, PATH };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number }; // a TCP server's address is an object
  server.close();
  await once(server, "close");
  return port;
}
