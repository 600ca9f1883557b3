import { sse } from "@parley/transport-sse";
import { run } from "./round-trip.ts";

await run("sse://127.0.0.1:0", sse());
