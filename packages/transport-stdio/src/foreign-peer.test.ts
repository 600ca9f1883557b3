import { execFile } from "node:child_process";
import { HELLO } from "@parley/core/transport";
import { expect, it } from "vitest";
import { agent, ask, dialling, fixture } from "../test/harness.ts";

/** Runs the agent of the tests in a shell's pipe. */
function piped(lines: readonly string[]): Promise<{ stdout: string; exitCode: number }> {
  const [program, ...args] = agent();
  return new Promise((resolve) => {
    const child = execFile(program, args, (error, stdout) => resolve({ stdout, exitCode: Number(error?.code ?? 0) }));
    // An agent that hangs up before the end of its input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(lines.map((line) => `${line}\n`).join(""));
  });
}

const event = (id: string, type: string, call: number, data: unknown) =>
  JSON.stringify({ specversion: "1.0", id, source: "/me", type, kind: "request", call, data });

it("a shell script that has never heard of Parley answers", async () => {
  const connection = await dialling({ command: ["/bin/sh", fixture("upper.sh")] });
  expect(connection.hello).toEqual({ profile: "1" });
  expect(await ask(connection, "text.upper.v1", "quiet words")).toBe("QUIET WORDS");
  expect(await Promise.all(["a", "b", "c"].map((text) => ask(connection, "text.upper.v1", text)))).toEqual([
    "A",
    "B",
    "C",
  ]);
  expect((await connection.ping()).roundTripMs).toBeGreaterThan(0);
  await connection.close();
  expect(await connection.closed).toBeUndefined();
});

it("a peer that answers the handshake with unimplemented, as it does all it does not know, is spoken to", async () => {
  const connection = await dialling({ command: ["/bin/sh", fixture("refusing.sh")] });
  expect(connection.hello).toEqual({ profile: "1" });
  expect(await ask(connection, "text.known.v1")).toBe("known");
  await expect(ask(connection, "text.other.v1")).rejects.toMatchObject({ code: "unimplemented", outcome: "rejected" });
});

it("lines that are piped in all at once are answered before the agent exits", async () => {
  const { stdout, exitCode } = await piped([
    event("1", HELLO, 1, {}),
    event("2", "test.echo.v1", 3, "first"),
    event("3", "test.echo.v1", 5, "second"),
  ]);
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; data: unknown });
  expect(answers.map(({ id }) => id)).toEqual(["1.r", "2.r", "3.r"]);
  expect(answers[2]?.data).toBe("second");
  expect(exitCode).toBe(0);
});

it("a peer that begins with anything but hello is told so, and the agent's exit code says which error it was", async () => {
  const { stdout, exitCode } = await piped([event("2", "test.echo.v1", 1, "first")]);
  expect(JSON.parse(stdout)).toMatchObject({ kind: "error", data: { code: "invalid_argument" } });
  expect(exitCode).toBe(65);
});

it("an agent whose stdin is empty writes nothing and exits", async () => {
  expect(await piped([])).toEqual({ stdout: "", exitCode: 0 });
});

it("a line without end is cut at the limit, and ends the connection with an exit code", async () => {
  const { stdout, exitCode } = await piped([event("1", HELLO, 1, {}), `{"data":"${"x".repeat(100 * 1024 * 1024)}`]);
  expect(stdout).toContain("resource_exhausted");
  expect(exitCode).toBe(75);
}, 20_000);
