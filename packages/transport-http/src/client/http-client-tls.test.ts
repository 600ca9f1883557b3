import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { certificates } from "@parley/test-certificates";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, listen } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert, strangerKey } = certificates;

/** Asks a server of `node:https` who the caller is. */
async function whoAmI(options: (url: string) => HttpClientOptions, target?: string): Promise<string> {
  const server = createServer(
    { cert: serverCert, key: serverKey, ca, requestCert: true, rejectUnauthorized: false },
    ({ socket }, response) => {
      const { authorized } = socket as TLSSocket; // a server of node:https has no other sockets
      response.end(authorized ? "known" : "stranger");
    },
  );
  const url = await listen(server, "https");
  const api = new HttpClient(options(url));
  afterTest(() => api.close({ graceMs: 0 }));
  return (await api.get(target ?? url)).text();
}

test("a verified server is asked over TLS", async () => {
  expect(await whoAmI(() => ({ tls: { ca } }))).toBe("stranger");
});

test("a client certificate is shown to the origin of the base, by either option", async () => {
  expect(await whoAmI((baseUrl) => ({ baseUrl, tls: { ca, cert: clientCert, key: clientKey } }))).toBe("known");
  const credentials = { certificate: () => ({ cert: clientCert, key: clientKey }) };
  expect(await whoAmI((baseUrl) => ({ baseUrl, tls: { ca }, credentials }))).toBe("known");
});

test("a client certificate is not shown to another origin", async () => {
  const tls = { ca, cert: clientCert, key: clientKey };
  expect(await whoAmI(() => ({ baseUrl: "https://127.0.0.1:1", tls }))).toBe("stranger");
});

test.each<[string, HttpClientOptions["tls"]]>([
  ["an unknown authority", {}],
  ["another authority", { ca: strangerCert }],
])("a server of %s is turned away before anything is sent", async (_name, tls) => {
  const error = await failure(whoAmI(() => ({ tls })));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toContain("TLS");
});

test("a server of another name is turned away before anything is sent", async () => {
  const error = await failure(whoAmI((baseUrl) => ({ baseUrl, tls: { ca, servername: "agents.example" } })));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("verification is left out only where that is said", async () => {
  expect(await whoAmI(() => ({ tls: { rejectUnauthorized: false } }))).toBe("stranger");
});

test("a server that wants another certificate answers nothing", async () => {
  const server = createServer({ cert: serverCert, key: serverKey, ca, requestCert: true }, (_request, response) => {
    response.end();
  });
  const baseUrl = await listen(server, "https");
  const api = new HttpClient({ baseUrl, tls: { ca, cert: strangerCert, key: strangerKey } });
  afterTest(() => api.close({ graceMs: 0 }));
  expect(await failure(api.get("/"))).toMatchObject({ code: "unavailable" });
});
