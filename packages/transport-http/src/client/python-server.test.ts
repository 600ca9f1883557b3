import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpClient } from "../index.ts";

// A server that nobody here wrote: that of Python, as Debian has it. HTTP/1.0 unless told otherwise.
let folder: string;
let api: HttpClient;
let stop: () => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-python-"));
  await writeFile(join(folder, "hello world.json"), '{"hello":"world"}');
  await writeFile(join(folder, "big"), Buffer.alloc(3_000_000, "x"));
  const server = spawn("python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]);
  stop = () => server.kill();
  const port = await new Promise<string>((resolve, reject) => {
    server.once("error", reject);
    server.stdout.on("data", (text) => {
      const [, found] = /port (\d+)/.exec(String(text)) ?? [];
      if (found) resolve(found);
    });
  });
  // Its queue of connections that wait to be accepted has five places; the kernel drops what comes beyond, for a second or more.
  api = new HttpClient({ baseUrl: `http://127.0.0.1:${port}`, pool: { maxPerOrigin: 4 } });
});

afterAll(async () => {
  await api.close();
  stop();
  await rm(folder, { recursive: true });
});

test("Python's server gives files, heads, redirects and refusals", async () => {
  expect(await (await api.get("hello world.json")).json()).toEqual({ hello: "world" });
  const head = await api.head("big");
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "3000000"]);
  expect((await (await api.get("big")).bytes()).length).toBe(3_000_000);
  expect(await (await api.get("/")).text()).toContain("hello%20world.json");
  expect((await api.get("nothing")).status).toBe(404);
  expect((await api.post("/", { json: {} })).status).toBe(501);
});

test("many requests at a time find a server that closes each connection", async () => {
  const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await api.get("hello world.json")).text()));
  expect(new Set(bodies)).toEqual(new Set(['{"hello":"world"}']));
});
