import "reflect-metadata";
import { Controller, Logger, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ClientProxyFactory, MessagePattern, Transport } from "@nestjs/microservices";
import { firstValueFrom, from, type Observable } from "rxjs";
import { type Contender, check } from "../../contender.ts";
import { type Payload, type StreamRequest, serialOf } from "../../payload.ts";
import { brokerOf } from "../broker-url.ts";
import { checkItems, itemsOf } from "./items.ts";

Logger.overrideLogger(false);

class Bench {
  echo(data: Payload): Payload {
    return data;
  }

  stream(asked: StreamRequest): Observable<Payload> {
    return from(itemsOf(asked));
  }
}

class BenchModule {}

// Decorators, applied by hand: Node strips types, and knows no decorators.
for (const name of ["echo", "stream"] as const) {
  const descriptor = Object.getOwnPropertyDescriptor(Bench.prototype, name);
  if (descriptor) MessagePattern(name)(Bench.prototype, name, descriptor);
}
Controller()(Bench);
Module({ controllers: [Bench] })(BenchModule);

/** A microservice of NestJS over MQTT: requests and streams of answers, at QoS 0 as is its default. */
export const nestMqtt: Contender = {
  async serve(url = "") {
    const options = { url: brokerOf(url) };
    const service = await NestFactory.createMicroservice(BenchModule, {
      transport: Transport.MQTT,
      options,
      logger: false,
    });
    await service.listen();
    return { url, close: () => service.close() };
  },
  async connect(url) {
    const client = ClientProxyFactory.create({ transport: Transport.MQTT, options: { url: brokerOf(url) } });
    await client.connect();
    return {
      async request(data) {
        check("the reply's serial", serialOf(await firstValueFrom(client.send("echo", data))), data.serial);
      },
      async stream(asked) {
        const items = checkItems(asked);
        await client.send<unknown>("stream", asked).forEach(items.item);
        items.end();
      },
      close: async () => client.close(),
    };
  },
};
