import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type ChannelOptions,
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type CallingSide, type Contender, check, type ServingSide } from "../contender.ts";
import { payload, type StreamRequest, serialOf } from "../payload.ts";
import { answer, ECHO, type Event, item, opener, STATUS, STREAM, subjectOf } from "./event.ts";
import { Subscribers } from "./subscribers.ts";

/** gRPC with `@grpc/grpc-js` and nothing else: a service of its own, a gRPC call for each call. */
export const rawGrpc: Contender = { serve, connect };

/** An event as the service's messages have it: data is JSON. */
type Message = Omit<Event, "data"> & { readonly data?: string };

type Method = "Request" | "Stream" | "Subscribe" | "Publish";

const definition = loadSync(fileURLToPath(new URL("../../proto/bench.proto", import.meta.url)));
const service = definition["bench.Bench"] as ServiceDefinition; // the file has it

const options: ChannelOptions = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

async function serve(): Promise<ServingSide> {
  const server = new Server(options);
  const subscribers = new Subscribers<ServerWritableStream<Message, Message>>();
  server.addService(service, {
    Request({ request }: ServerUnaryCall<Message, Message>, answered: sendUnaryData<Message>) {
      answered(null, written(answer(read(request))));
    },
    Stream(call: ServerWritableStream<Message, Message>) {
      void streamTo(call);
    },
    Subscribe(call: ServerWritableStream<Message, Message>) {
      subscribers.add(call.request.subject, call);
      call.on("cancelled", () => subscribers.delete(call));
      call.write(written(answer(call.request)));
    },
    Publish({ request }: ServerUnaryCall<Message, Message>, answered: sendUnaryData<Message>) {
      const publication = { ...request, kind: "item" };
      for (const subscriber of subscribers.of(request.subject)) subscriber.write(publication);
      answered(null, written(answer({ ...request, data: undefined })));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { url: `127.0.0.1:${port}`, close: async () => server.forceShutdown() };
}

async function streamTo(call: ServerWritableStream<Message, Message>): Promise<void> {
  const message = read(call.request);
  const { content, items } = message.data as StreamRequest; // ours
  for (let seq = 1; seq <= items; seq++) {
    if (!call.write(written(item(message, seq, payload(content, seq))))) await once(call, "drain");
  }
  call.end();
}

async function connect(url: string): Promise<CallingSide> {
  const client = new Client(url, credentials.createInsecure(), options);
  const unary = (name: Method, message: Event): Promise<Event> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(name);
      client.makeUnaryRequest<Message, Message>(
        path,
        requestSerialize,
        responseDeserialize,
        written(message),
        (error, answered) => {
          if (answered) resolve(read(answered));
          else reject(error);
        },
      );
    });
  const streaming = (name: Method, message: Event) => {
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    return client.makeServerStreamRequest<Message, Message>(
      path,
      requestSerialize,
      responseDeserialize,
      written(message),
    );
  };
  return {
    async request(data) {
      const message = opener("request", ECHO, { data });
      const answered = await unary("Request", message);
      check("the reply's id", answered.id, `${message.id}.r`);
      check("the reply's serial", serialOf(answered.data), data.serial);
    },
    async stream(data) {
      const message = opener("server-stream", STREAM, { data });
      let seq = 0;
      const call = streaming("Stream", message);
      call.on("data", (received: Message) => check("the item's id", read(received).id, `${message.id}.s${++seq}`));
      await once(call, "end");
      check("the number of items", seq, data.items);
    },
    async subscribe(topic, delivered) {
      const call = streaming("Subscribe", opener("subscribe", STATUS, { subject: subjectOf(topic) }));
      call.on("error", () => {}); // cancelled by close()
      await once(call, "data");
      call.on("data", (received: Message) => delivered(serialOf(read(received).data)));
    },
    async publish(topic, data) {
      await unary("Publish", opener("publish", STATUS, { subject: subjectOf(topic), data }));
    },
    async close() {
      client.close();
    },
  };
}

function methodOf(name: Method): ServiceDefinition[string] {
  return service[name] as ServiceDefinition[string]; // the file has it
}

function written({ data, ...event }: Event): Message {
  return data === undefined ? event : { ...event, data: JSON.stringify(data) };
}

function read({ data, ...message }: Message): Event {
  return data === undefined || data === "" ? message : { ...message, data: JSON.parse(data) };
}
