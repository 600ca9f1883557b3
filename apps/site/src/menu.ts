/** One group of the menu at the side. */
export interface MenuGroup {
  readonly text: string;
  readonly collapsed?: boolean;
  readonly items: { readonly text: string; readonly link: string }[];
}

/** The menu at the side: every page but those of the reference, which have their own index. */
export const menu: MenuGroup[] = [
  {
    text: "Guide",
    items: [
      { text: "Start here", link: "/" },
      { text: "The first two minutes", link: "/parley" },
      { text: "Choosing a wire", link: "/choosing-a-wire" },
      { text: "Streaming", link: "/streaming" },
      { text: "Publish and subscribe", link: "/publish-subscribe" },
      { text: "Deadlines and retries", link: "/deadlines-and-retries" },
      { text: "Versions", link: "/versions" },
      { text: "In a browser", link: "/browser" },
      { text: "Operations", link: "/operations" },
      { text: "Where it runs", link: "/runtimes" },
      { text: "When calls fail", link: "/resilience" },
      { text: "Errors", link: "/errors" },
      { text: "Security", link: "/security" },
      { text: "What is claimed, and how it is shown", link: "/reliability" },
      { text: "Performance", link: "/performance" },
    ],
  },
  {
    text: "Protocol clients",
    items: [
      { text: "What they share", link: "/clients" },
      { text: "HTTP", link: "/clients/http" },
      { text: "WebSocket", link: "/clients/ws" },
      { text: "SSE", link: "/clients/sse" },
      { text: "MQTT", link: "/clients/mqtt" },
      { text: "gRPC", link: "/clients/grpc" },
      { text: "stdio", link: "/clients/stdio" },
      { text: "What goes wrong, and what is told", link: "/clients/faults" },
    ],
  },
  {
    text: "Other languages, other wires",
    items: [
      { text: "Wire format", link: "/wire" },
      { text: "Writing a transport", link: "/writing-a-transport" },
      { text: "The conformance suite", link: "/packages/conformance" },
    ],
  },
  {
    text: "Packages",
    items: [
      { text: "@parley/core", link: "/packages/core" },
      { text: "@parley/auth", link: "/packages/auth" },
      { text: "@parley/transport-http", link: "/packages/transport-http" },
      { text: "@parley/transport-ws", link: "/packages/transport-ws" },
      { text: "@parley/transport-sse", link: "/packages/transport-sse" },
      { text: "@parley/transport-mqtt", link: "/packages/transport-mqtt" },
      { text: "@parley/transport-grpc", link: "/packages/transport-grpc" },
      { text: "@parley/transport-stdio", link: "/packages/transport-stdio" },
      { text: "Benchmarks", link: "/packages/bench" },
      { text: "API reference", link: "/reference/" },
      { text: "Releases", link: "/releasing" },
    ],
  },
  {
    text: "Examples",
    items: [
      { text: "Two agents", link: "/examples/two-agents" },
      { text: "Any wire", link: "/examples/any-wire" },
      { text: "A research team", link: "/examples/research-team" },
      { text: "Child processes", link: "/examples/child-processes" },
      { text: "Foreign peers", link: "/examples/foreign-peers" },
      { text: "A transport over plain TCP", link: "/examples/tcp-transport" },
    ],
  },
];
