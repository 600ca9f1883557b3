import { ws } from "@parley/transport-ws";
import { run } from "./round-trip.ts";

await run("ws://127.0.0.1:0", ws());
