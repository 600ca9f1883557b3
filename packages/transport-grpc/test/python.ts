import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { protoFolders } from "./protos.ts";

const run = promisify(execFile);

/** The system's, which has the system's packages. */
const PYTHON = "/usr/bin/python3";

/** Why Python's gRPC cannot be used here; undefined when it can. In CI it must be there, so nothing is asked. */
export async function pythonMissing(): Promise<string | undefined> {
  if (process.env["CI"]) return undefined;
  return run(PYTHON, ["-c", "import grpc, grpc_tools.protoc"]).then(
    () => undefined,
    () => "no gRPC for Python: install the packages python3-grpcio and python3-grpc-tools",
  );
}

/** Runs protoc over the published files and those of standard services. */
export async function protoc(...args: readonly string[]): Promise<void> {
  await run(PYTHON, ["-m", "grpc_tools.protoc", ...protoFolders.map((folder) => `-I${folder}`), ...args]);
}

/** A folder that is gone at the end. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "parley-grpc-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs a script; resolves with what it printed. */
export async function python(script: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(PYTHON, [script, ...args], { timeout: 30_000 });
  return stdout;
}

/** What the server in Python does. */
export interface DemoServerOptions {
  readonly port?: number;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  /** Versions of server reflection that it answers. */
  readonly reflection?: readonly string[];
}

/** A server of demo.v1.Demo in a process of its own. */
export interface DemoServer extends AsyncDisposable {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Makes what the server in Python imports. */
export async function demoStubs(folder: string): Promise<void> {
  await protoc(
    `--python_out=${folder}`,
    `--grpc_python_out=${folder}`,
    ...["demo/v1/demo.proto", "demo/v1/types.proto", "grpc/reflection/v1/reflection.proto"],
  );
}

/** Starts it. @param folder with its stubs */
export async function demoServer(folder: string, options: DemoServerOptions = {}): Promise<DemoServer> {
  const script = fileURLToPath(new URL("./python/server.py", import.meta.url));
  const child = spawn(PYTHON, [script, folder, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
    // It would print every handshake that fails.
    env: { ...process.env, GRPC_VERBOSITY: "NONE" },
  });
  const gone = once(child, "exit");
  const [line] = (await Promise.race([once(child.stdout, "data"), gone])) as [unknown];
  if (child.exitCode !== null) throw new Error(`the server in Python ended with ${child.exitCode}`);
  return {
    port: Number(String(line)),
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
