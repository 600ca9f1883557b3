import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { type Handler, HELLO, ParleyError, reply } from "@parley/core/transport";
import { expect, it } from "vitest";
import { address, agent, ask, dialling, fixture, opening, runs } from "../test/harness.ts";
import { stdio } from "./index.ts";

const echo: Handler = ({ message }) => {
  if (message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
  return { message: reply(message, "/test", message.data) };
};
const hello = `${JSON.stringify({ specversion: "1.0", id: "1", source: "/me", type: HELLO, kind: "request", call: 1 })}\n`;

it("serves streams that are given to it, and closes when the input ends", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const listener = await stdio({ input, output }).listen(address, echo);
  input.write("noise\n");
  input.write(hello.slice(0, 20));
  input.write(hello.slice(20));
  const [answer] = (await once(output, "data")) as [Buffer];
  expect(JSON.parse(answer.toString())).toMatchObject({ kind: "reply", call: 1, data: { profile: "1" } });
  expect(listener.stats()).toEqual({ openCalls: 0, lateMessages: 0, refusedMessages: 1 });
  input.end();
  output.resume();
  await once(output, "end");
  await listener.close();
  expect(listener.url.href).toBe("stdio:");
});

it("streams are listened on once at a time", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = stdio({ input, output });
  const listener = await transport.listen(address, echo);
  await expect(transport.listen(address, echo)).rejects.toMatchObject({ code: "already_exists" });
  await listener.close({ graceMs: 0 });
  await (await transport.listen(address, echo)).close({ graceMs: 0 });
});

it("noise among frames is counted, and a call that follows is answered", async () => {
  const connection = await dialling();
  const noise = ["log\n", "\x1b[1mbold\x1b[0m\n", "\xef\xbb\xbf\n", "\r\n", "\n", "\xf0\x9f\n", '{"level":30}\n'];
  expect(await ask(connection, "test.noise.v1", noise)).toBe("after");
  expect(connection.stats().refusedMessages).toBe(noise.length);
  expect(await ask(connection, "test.echo.v1", "a\nb\r\n\u2028")).toBe("a\nb\r\n\u2028");
});

it("a child that keeps writing what only looks like frames is given up", async () => {
  const connection = await dialling();
  const asked = ask(
    connection,
    "test.noise.v1",
    Array.from({ length: 11 }, () => '{"level":30\n'),
  );
  await expect(asked).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await connection.closed).toMatchObject({ code: "invalid_argument" });
});

it("an agent exits when the process that started it is killed, though calls are under way", async () => {
  const parent = spawn(process.execPath, [fixture("parent.ts"), ...agent()], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(chunk.toString());
  expect(runs(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => runs(pid)).toBe(false);
});

it("a listener that closes itself ends the connection of its parent in order, and the child exits", async () => {
  const connection = await dialling();
  const pid = Number(await ask(connection, "test.pid.v1"));
  await connection.call(opening("notify", "test.close.v1"));
  expect(await connection.closed).toMatchObject({ details: { exitCode: 0 } });
  expect(runs(pid)).toBe(false);
});
