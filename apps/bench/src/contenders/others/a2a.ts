import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { type AgentCard, type Message, type Part, Role, type SendMessageRequest } from "@a2a-js/sdk";
import { ClientFactory } from "@a2a-js/sdk/client";
import { AgentEvent, type AgentExecutor, DefaultRequestHandler, InMemoryTaskStore } from "@a2a-js/sdk/server";
import { jsonRpcHandler, UserBuilder } from "@a2a-js/sdk/server/express";
import express from "express";
import { type Contender, check } from "../../contender.ts";
import { serialOf } from "../../payload.ts";
import { servingHttp } from "../serving.ts";

/** A2A with JSON-RPC over HTTP: a request is a message that a message answers. What streams there is a task, which the server keeps whole. */
export const a2aHttp: Contender = {
  serve() {
    const requestHandler = new DefaultRequestHandler(card(""), new InMemoryTaskStore(), agent);
    const app = express().disable("x-powered-by").disable("etag");
    app.use(jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
    return servingHttp(createServer(app));
  },
  async connect(url) {
    const client = await new ClientFactory().createFromAgentCard(card(url));
    return {
      async request(data) {
        const answered = await client.sendMessage(asking(data));
        check("the reply's serial", serialOf("parts" in answered ? dataOf(answered.parts) : undefined), data.serial);
      },
      close: async () => {},
    };
  },
};

const agent: AgentExecutor = {
  async execute({ userMessage, contextId }, bus) {
    bus.publish(AgentEvent.message(message(Role.ROLE_AGENT, dataOf(userMessage.parts), contextId)));
    bus.finished();
  },
  cancelTask: async () => {},
};

function asking(data: unknown): SendMessageRequest {
  return { tenant: "", message: message(Role.ROLE_USER, data, ""), configuration: undefined, metadata: {} };
}

function message(role: Role, data: unknown, contextId: string): Message {
  return {
    messageId: randomUUID(),
    contextId,
    taskId: "",
    role,
    parts: [part(data)],
    metadata: {},
    extensions: [],
    referenceTaskIds: [],
  };
}

function part(data: unknown): Part {
  return { content: { $case: "data", value: data }, metadata: {}, filename: "", mediaType: "application/json" };
}

function dataOf(parts: readonly Part[] = []): unknown {
  const content = parts[0]?.content;
  return content?.$case === "data" ? content.value : undefined;
}

function card(url: string): AgentCard {
  return {
    name: "bench",
    description: "Answers with what it is sent.",
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", tenant: "", protocolVersion: "1.0" }],
    provider: undefined,
    version: "1.0.0",
    capabilities: { streaming: true, pushNotifications: false, extensions: [], extendedAgentCard: false },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: ["application/json"],
    defaultOutputModes: ["application/json"],
    skills: [],
    signatures: [],
  };
}
