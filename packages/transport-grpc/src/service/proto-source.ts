import { ParleyError } from "@parley/core/transport";
import { type DefinitionSource, noService } from "./definition-source.ts";
import { type GrpcFormat, loaderOptions } from "./format.ts";
import { type ServiceMethods, servicesOf } from "./service-method.ts";

/** What the services look like by .proto files, read when they are first needed. */
export class ProtoSource implements DefinitionSource {
  readonly #files: readonly string[];
  readonly #includeDirs: readonly string[] | undefined;
  readonly #format: GrpcFormat;
  #known: ReadonlyMap<string, ServiceMethods> | undefined;
  #loading: Promise<ReadonlyMap<string, ServiceMethods>> | undefined;

  constructor(files: readonly string[], includeDirs: readonly string[] | undefined, format: GrpcFormat) {
    this.#files = files;
    this.#includeDirs = includeDirs;
    this.#format = format;
  }

  find(service: string): ServiceMethods | undefined {
    return this.#known?.get(service);
  }

  async load(service: string): Promise<ServiceMethods> {
    const services = await this.#load();
    const methods = services.get(service);
    if (!methods) throw noService(this.#files.join(", "), service, [...services.keys()]);
    return methods;
  }

  async services(): Promise<readonly string[]> {
    return [...(await this.#load()).keys()];
  }

  #load(): Promise<ReadonlyMap<string, ServiceMethods>> {
    if (this.#known) return Promise.resolve(this.#known);
    // What failed may have been mended by the next time.
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<ReadonlyMap<string, ServiceMethods>> {
    try {
      // The library takes its time to load, and Parley's own calls do without.
      const { load } = await import("@grpc/proto-loader");
      const includeDirs = this.#includeDirs ? { includeDirs: [...this.#includeDirs] } : {};
      this.#known = servicesOf(await load([...this.#files], { ...loaderOptions(this.#format), ...includeDirs }));
      return this.#known;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ParleyError("invalid_argument", `${this.#files.join(", ")} cannot be read: ${why}`, {
        outcome: "not-sent",
        cause,
      });
    }
  }
}
