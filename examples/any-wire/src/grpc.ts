import { grpc } from "@parley/transport-grpc";
import { run } from "./round-trip.ts";

await run("grpc://127.0.0.1:0", grpc());
