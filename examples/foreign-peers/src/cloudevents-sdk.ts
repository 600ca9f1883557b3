import { CloudEvent, HTTP } from "cloudevents";

const url = process.argv[2] ?? "http://127.0.0.1:7070";

for (const mode of ["structured", "binary"] as const) {
  const event = new CloudEvent({ type: "peers.shout.v1", source: "/sdk", data: { text: `hello, ${mode}` } });
  const { headers, body } = HTTP[mode](event);
  const response = await fetch(`${url}/${event.type}`, {
    method: "POST",
    headers: headers as Record<string, string>,
    body: body as string,
  });
  const answer = HTTP.toEvent<{ readonly text: string }>({
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  });
  if (Array.isArray(answer)) throw new Error("one event was asked for");
  console.log(
    `${mode}: ${answer.id === `${event.id}.r` ? "the answer" : "an answer to something else"}: ${answer.data?.text}`,
  );
}
