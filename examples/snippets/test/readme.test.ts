import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { type Snippets, snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

afterAll(() => rmSync(join(import.meta.dirname, "../.snippets"), { recursive: true, force: true }));

/** Type-checks the files of a folder as a user's project would be. */
async function compile({ folder, files }: Snippets): Promise<void> {
  const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
  const flags =
    "--noEmit --strict --skipLibCheck --module nodenext --target es2023 --lib es2024,esnext.disposable --types node --allowImportingTsExtensions --ignoreConfig";
  await run(tsc, [...flags.split(" "), ...files], { cwd: folder }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Waits until somebody listens at a port. */
async function listened(port: number): Promise<void> {
  for (let open = false; !open; ) {
    const socket = connect(port, "127.0.0.1");
    open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
}

describe("the program in the README of", () => {
  it.each([
    ["packages/core/README.md", "HELLO\none\nat\na\ntime\n"],
    ["packages/transport-ws/README.md", "Hello, Ada!\n"],
    ["packages/transport-http/README.md", "{ summary: 'Long story' }\n"],
  ])("%s compiles, runs, and ends by itself", async (page, printed) => {
    const port = await freePort();
    const snippets = snippetsOf(page, (text) => text.replaceAll(":7070", `:${port}`));
    await compile(snippets);
    const { stdout } = await run(process.execPath, [snippets.files[0] ?? ""], { cwd: snippets.folder });
    expect(stdout).toBe(printed);
  });

  it("the repository compiles, and its server answers its client and curl", async () => {
    const ports = { "7070": await freePort(), "8080": await freePort() };
    const snippets = snippetsOf("README.md", (text) =>
      text.replaceAll(/:(7070|8080)/g, (_, port: "7070" | "8080") => `:${ports[port]}`),
    );
    await compile(snippets);
    const server: ChildProcess = spawn(process.execPath, ["server.ts"], { cwd: snippets.folder, stdio: "inherit" });
    try {
      await listened(ports["8080"]);
      const { stdout } = await run(process.execPath, ["client.ts"], { cwd: snippets.folder });
      expect(stdout).toBe("one word at a time ");
      const curl = snippets.commands.find((line) => line.startsWith("curl")) ?? "";
      expect(JSON.parse((await run("sh", ["-c", `${curl} --silent --show-error`])).stdout)).toEqual({ summary: "…" });
    } finally {
      server.kill();
      await once(server, "exit");
    }
  });
});
