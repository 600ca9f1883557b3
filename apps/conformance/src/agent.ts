export { conformanceAgent } from "./serving/conformance-agent.ts";
