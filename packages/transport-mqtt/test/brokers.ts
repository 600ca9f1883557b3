import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";

/** A broker that a test started. */
export interface TestBroker extends AsyncDisposable {
  readonly url: URL;
}

/** Debian puts it where users' paths do not lead. */
const mosquitto = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].find((file) => existsSync(file));

/** Whether Mosquitto and its tools are installed. Where CI is set they have to be. */
export const hasMosquitto: boolean =
  process.env["CI"] !== undefined ||
  (mosquitto !== undefined && spawnSync("mosquitto_pub", ["--help"]).error === undefined);

/** A Mosquitto of a test's own. */
export interface Mosquitto extends TestBroker {
  readonly pid: number;
  /** Freezes it, as a host that has lost its network looks like. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void;
}

/** Files that a configuration names, by name; they are put beside it, and `DIR` in it stands for where that is. */
export type Files = Readonly<Record<string, string>>;

/** Starts Mosquitto with a configuration, on a port of its own; `PORT` in the configuration stands for it. */
export async function startMosquitto(
  config = "listener PORT 127.0.0.1\nallow_anonymous true",
  files: Files = {},
): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "parley-mqtt-"));
  const port = await freePort();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o644 });
  const file = join(folder, "mosquitto.conf");
  const settings = `${config}\nset_tcp_nodelay true\npersistence false\nuser root\n`;
  writeFileSync(file, settings.replaceAll("PORT", String(port)).replaceAll("DIR", folder));
  const child = spawn(mosquitto ?? "mosquitto", ["-c", file], { stdio: "ignore" });
  const exited = once(child, "exit");
  try {
    await listened(port, child);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    url: new URL(`mqtt://127.0.0.1:${port}`),
    pid: child.pid as number,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/** An aedes in this process: MQTT 3.1.1, without shared subscriptions. */
export async function startAedes(port = 0): Promise<TestBroker & { readonly aedes: Aedes }> {
  const aedes = await Aedes.createBroker();
  const server = createServer({ noDelay: true }, aedes.handle);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: new URL(`mqtt://127.0.0.1:${portOf(server)}`),
    aedes,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => aedes.close(resolve));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Something else that listens, with what it does to each connection. */
export async function startServer(
  talk: (socket: Socket) => void,
): Promise<TestBroker & { readonly open: () => number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    talk(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: new URL(`mqtt://127.0.0.1:${portOf(server)}`),
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Runs one of Mosquitto's tools to its end. */
export async function tool(name: "pub" | "sub" | "rr", url: URL, ...args: string[]): Promise<string> {
  const { closed, output } = startTool(name, url, ...args);
  const code = await closed;
  if (code !== 0) throw new Error(`mosquitto_${name} ended with ${code}: ${output()}`);
  return output();
}

/** A tool of Mosquitto's that runs. */
export interface Tool {
  readonly closed: Promise<number>;
  output(): string;
  /** Resolves when the output has it. */
  wrote(pattern: RegExp): Promise<void>;
  stop(): void;
}

/** Starts one of Mosquitto's tools. */
export function startTool(name: "pub" | "sub" | "rr", { hostname, port }: URL, ...args: string[]): Tool {
  const child = spawn(`mosquitto_${name}`, ["-h", hostname, "-p", port, ...args]);
  let output = "";
  const waiting = new Map<RegExp, () => void>();
  const take = (text: string): void => {
    output += text;
    for (const [pattern, resolve] of waiting) if (pattern.test(output)) resolve();
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  return {
    closed: once(child, "close").then(([code]) => code as number),
    output: () => output,
    wrote: (pattern) =>
      new Promise((resolve) => {
        if (pattern.test(output)) resolve();
        else waiting.set(pattern, resolve);
      }),
    stop: () => void child.kill(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

async function listened(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
  }
  throw new Error(`mosquitto ended with ${child.exitCode}; run it by hand with the test's configuration`);
}
