import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EffectOptions, OperationOptions, PolicyOptions } from "@parley/core";
import type { ClientHealth, ClientState, ClientStateChange, CloseOptions } from "@parley/core/transport";
import type { GrpcCallOptions, GrpcClient, GrpcClientOptions } from "@parley/transport-grpc";
import type { HttpClient, HttpClientOptions, HttpRequestOptions } from "@parley/transport-http";
import type { MqttClient, MqttClientOptions, MqttPublishOptions, MqttSubscribeOptions } from "@parley/transport-mqtt";
import type { SseClient, SseClientOptions } from "@parley/transport-sse";
import type { StdioClient, StdioClientOptions, StdioRequestOptions } from "@parley/transport-stdio";
import type { WebSocketClient, WebSocketClientOptions } from "@parley/transport-ws";
import { expect, expectTypeOf, it } from "vitest";

/** The names of all options: it compiles with neither one too many nor one too few. */
type Names<Options> = Record<Options extends unknown ? keyof Options : never, true>;

const http: Names<HttpClientOptions> = {
  baseUrl: true,
  headers: true,
  credentials: true,
  tls: true,
  connectTimeoutMs: true,
  headersTimeoutMs: true,
  bodyTimeoutMs: true,
  timeoutMs: true,
  maxResponseBytes: true,
  pool: true,
  retry: true,
  use: true,
  redirect: true,
  maxRedirects: true,
  redirectOrigins: true,
  hooks: true,
  expectOk: true,
  log: true,
  runtime: true,
};

const sse: Names<SseClientOptions> = {
  url: true,
  params: true,
  method: true,
  json: true,
  form: true,
  body: true,
  headers: true,
  credentials: true,
  tls: true,
  lastEventId: true,
  doneData: true,
  reconnect: true,
  connectTimeoutMs: true,
  headersTimeoutMs: true,
  idleTimeoutMs: true,
  timeoutMs: true,
  maxEventChars: true,
  retry: true,
  use: true,
  idempotent: true,
  maxRedirects: true,
  redirectOrigins: true,
  hooks: true,
  signal: true,
  log: true,
  runtime: true,
};

const ws: Names<WebSocketClientOptions> = {
  url: true,
  format: true,
  credentials: true,
  headers: true,
  tls: true,
  protocols: true,
  connectTimeoutMs: true,
  timeoutMs: true,
  closeTimeoutMs: true,
  pingIntervalMs: true,
  pingTimeoutMs: true,
  maxMessageBytes: true,
  compression: true,
  maxQueuedBytes: true,
  whenQueueFull: true,
  maxWaiting: true,
  maxUnreadBytes: true,
  overflow: true,
  reconnect: true,
  retry: true,
  use: true,
  log: true,
  runtime: true,
};

const mqtt: Names<MqttClientOptions> = {
  url: true,
  protocolVersion: true,
  credentials: true,
  username: true,
  password: true,
  tls: true,
  clientId: true,
  keepaliveSeconds: true,
  cleanStart: true,
  sessionExpirySeconds: true,
  will: true,
  receiveMaximum: true,
  maxMessageBytes: true,
  connectTimeoutMs: true,
  timeoutMs: true,
  reconnect: true,
  retry: true,
  use: true,
  maxQueued: true,
  maxQueuedBytes: true,
  log: true,
  runtime: true,
};

const grpc: Names<GrpcClientOptions> = {
  url: true,
  proto: true,
  includeDirs: true,
  format: true,
  tls: true,
  credentials: true,
  headers: true,
  timeoutMs: true,
  connectTimeoutMs: true,
  waitForReady: true,
  retry: true,
  use: true,
  maxMessageBytes: true,
  maxCalls: true,
  compression: true,
  keepaliveMs: true,
  maxSessionMemoryMb: true,
  log: true,
  runtime: true,
};

const stdio: Names<StdioClientOptions<"line"> | StdioClientOptions<"raw"> | StdioClientOptions<"jsonrpc">> = {
  command: true,
  format: true,
  cwd: true,
  env: true,
  credentials: true,
  credentialVariable: true,
  delimiter: true,
  encoding: true,
  prompt: true,
  onRequest: true,
  cancellation: true,
  connectTimeoutMs: true,
  timeoutMs: true,
  onStart: true,
  ping: true,
  reconnect: true,
  startLimit: true,
  exitMs: true,
  retry: true,
  use: true,
  maxMessageBytes: true,
  maxQueuedBytes: true,
  maxUnreadBytes: true,
  maxCalls: true,
  log: true,
  runtime: true,
};

it("docs/clients.md says which clients have which of the options that several have", () => {
  const clients = [http, sse, ws, mqtt, grpc, stdio];
  const page = readFileSync(join(import.meta.dirname, "../../../docs/clients.md"), "utf8");
  const [, section = ""] = page.split("## What they share\n");
  const rows = [...section.matchAll(/^\| (`.*?) \| .*? \|((?: ✓? ?\|){6})$/gm)].flatMap(([, names = "", ticks = ""]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => [
      name,
      ticks
        .split("|")
        .slice(0, 6)
        .map((tick) => tick.trim()),
    ]),
  );
  const names = new Set(clients.flatMap((client) => Object.keys(client)));
  const shared = [...names].filter((name) => clients.filter((client) => name in client).length > 1);
  expect(new Map(rows as [string, string[]][])).toEqual(
    new Map(shared.map((name) => [name, clients.map((client) => (name in client ? "✓" : ""))])),
  );
});

it("whoever knows one client knows all: its life, and what its options and operations take", () => {
  interface Client extends AsyncDisposable {
    readonly state: ClientState;
    onState(listener: (change: ClientStateChange) => void): () => void;
    health(options?: OperationOptions): Promise<ClientHealth>;
    close(options?: CloseOptions): Promise<void>;
  }
  expectTypeOf<
    HttpClient | SseClient | WebSocketClient | MqttClient | GrpcClient | StdioClient<"json">
  >().toExtend<Client>();
  type Connects = SseClient | WebSocketClient | MqttClient | GrpcClient | StdioClient<"json">;
  expectTypeOf<Parameters<Connects["connect"]>[0]>().toEqualTypeOf<OperationOptions | undefined>();
  // Of HTTP the statuses of answers decide, too.
  type Policed = WebSocketClientOptions | MqttClientOptions | GrpcClientOptions | StdioClientOptions<"json">;
  expectTypeOf<Pick<Policed, keyof PolicyOptions>>().toEqualTypeOf<PolicyOptions>();
  expectTypeOf<Pick<SseClientOptions, "retry" | "use">>().toEqualTypeOf<Pick<HttpClientOptions, "retry" | "use">>();
  expectTypeOf<MqttSubscribeOptions>().toExtend<OperationOptions>();
  type Effect = HttpRequestOptions | MqttPublishOptions | GrpcCallOptions | StdioRequestOptions<"json">;
  expectTypeOf<Pick<Effect, keyof EffectOptions>>().toEqualTypeOf<EffectOptions>();
});
