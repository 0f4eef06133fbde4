// 25 traces of two spans each, as an application sends them: node send.mjs http|proto URL none|gzip
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { context, trace } from "@opentelemetry/api";

const [form, url, compression] = process.argv.slice(2);
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${form}`);
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js" }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url, compression }))],
});
const tracer = provider.getTracer("peer");
for (let number = 0; number < 25; number += 1) {
  const task = tracer.startSpan("task");
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": number,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.input.messages": "canary prompt",
    "user.id": "canary person",
  };
  const call = tracer.startSpan("chat", { attributes }, trace.setSpan(context.active(), task));
  call.end();
  task.end();
}
await provider.shutdown();
