import { agent, contract, request, serve } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import { afterAll, describe, expect, it } from "vitest";
import { conformanceAgent } from "../src/agent.ts";
import { freePorts } from "../src/brokers/program.ts";
import { main } from "../src/main.ts";
import { memoryScreen } from "../src/report/screen.ts";
import type { Report } from "../src/result.ts";
import { run } from "../src/run.ts";
import { selectScenarios } from "../src/scenarios/index.ts";
import { anything } from "../src/serving/contract.ts";
import { subjectRef } from "../src/subjects/index.ts";

const directory = import.meta.dirname;
const only = ["ENV-01", "BIN-01", "RR", "SS-03", "HS-02", "PS-01", "ENV-04", "FLT-08"];

const test = (name: string, url: URL, names: readonly string[]): Promise<Report> =>
  run({
    subjects: [subjectRef(name, directory)],
    scenarios: selectScenarios(names),
    seed: "served",
    urls: [url.href],
  });

const verdicts = ({ results }: Report): Record<string, string | undefined> =>
  Object.fromEntries(
    results.map(({ scenario, verdict, message }) => [scenario, verdict === "pass" ? "pass" : `${verdict}: ${message}`]),
  );

describe("a server of the user's own that serves the suite's agent", async () => {
  const server = await serve(conformanceAgent(), ["ws://127.0.0.1:0", "http://127.0.0.1:0"], {
    transports: [ws(), http()],
  });
  const [wsUrl, httpUrl] = server.urls as [URL, URL];
  afterAll(() => server.close());

  it("is judged by what both ends and the tap before it saw, and told what does not apply and why", async () => {
    const report = await test("ws", wsUrl, only);
    expect(verdicts(report)).toEqual({
      ...Object.fromEntries(["ENV-01", "BIN-01", "SS-03", "HS-02", "PS-01"].map((id) => [id, "pass"])),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`RR-0${n}`, "pass"])),
      "RR-08": "n/a: this server is not closed by the suite",
      "ENV-04": "n/a: this server is not asked for a relay",
      "FLT-08": "n/a: the process of this server is not the suite's to stop",
    });
    expect(report.tested["ws"]?.server).toEqual({ url: wsUrl.href, tapped: true });
    const witnesses = new Set(report.results.flatMap((result) => result.witnesses));
    expect([...witnesses].sort()).toEqual(["caller", "handler", "wire"]);
  }, 60_000);

  it("is all that is run when its address is all that is given", async () => {
    const screen = memoryScreen();
    const where = { directory, screen, complain: () => {} };
    expect(await main(["--url", httpUrl.href, "--only", "RR-01"], where)).toBe(0);
    expect(screen.text()).toMatch(/^1 scenario on http;/);
    expect(screen.text()).toMatch(/^ {2}http {2}@parley\/transport-http \S+, against http:\/\/127\.0\.0\.1:\d+\/$/m);
  }, 30_000);

  it("is not told the query of its own address", async () => {
    const report = await test("ws", new URL("/?token=canary", wsUrl), ["RR-01"]);
    expect(report.results[0]?.verdict).toBe("pass");
    expect(JSON.stringify(report)).not.toContain("canary");
  }, 30_000);
});

it("a server with TLS is judged without a tap, by both ends", async () => {
  const { serverCert: cert, serverKey: key } = certificates;
  await using server = await serve(conformanceAgent(), ["wss://127.0.0.1:0"], {
    transports: [ws({ tls: { cert, key } })],
  });
  const [url] = server.urls as [URL];
  const report = await run({
    subjects: [subjectRef("./subjects/trusting-ws.ts", directory)],
    scenarios: selectScenarios(["ENV-01", "RR-01", "RR-03", "RR-05"]),
    seed: "tls",
    urls: [url.href],
  });
  const between = "n/a: nothing of the suite's stands between it and this server, to listen in or to cut";
  expect(verdicts(report)).toEqual({ "ENV-01": "pass", "RR-01": "pass", "RR-03": between, "RR-05": between });
  expect(report.tested["trusting-ws"]?.server).toEqual({ url: url.href, tapped: false });
}, 60_000);

it.each([["nobody"], ["somebody else's agent"]])(
  "where %s answers it is blocked, with what to serve",
  async (who) => {
    const other = agent(contract("other", { echo: request({ input: anything, output: anything }) }), {
      echo: (input) => input,
    });
    await using server = await serve(other, ["ws://127.0.0.1:0"], { transports: [ws()] });
    const [taken] = server.urls as [URL];
    const url = who === "nobody" ? new URL(`ws://127.0.0.1:${(await freePorts(1))[0]}`) : taken;
    const { results } = await test("ws", url, ["RR-01", "RR-04"]);
    expect(results.map(({ verdict }) => verdict)).toEqual(["blocked", "blocked"]);
    expect(results[0]?.message).toMatch(
      /^nothing that serves the suite's agent answers at ws:\/\/127\.0\.0\.1:\d+\/ \(.+\): serve conformanceAgent\(\) of @parley\/conformance\/agent there$/,
    );
  },
  30_000,
);

it("a wire whose other side has no address is an error that says so", async () => {
  const { results } = await test("stdio", new URL("stdio://here"), ["RR-01"]);
  expect(results[0]).toMatchObject({
    verdict: "error",
    message: "--url stdio://here: the other side of this wire is started by the one that dials",
  });
}, 30_000);
