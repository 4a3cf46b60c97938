export interface Frame {
  text: string;
  kind: "message" | "own" | "framework";
}

// What a reader never wrote: folded away until asked for.
const framework = /^\s*at (?:System|Microsoft|Millrace|Npgsql|Grpc|Polly|MediatR|Castle)\.|^\s*--- End of |^\s*at lambda_method/;

/** Lines of a .NET error text, told apart into messages, own frames and frames of frameworks. */
export function frames(error: string): Frame[] {
  return error.replaceAll("\r\n", "\n").split("\n").map(text => ({
    text,
    kind: framework.test(text) ? "framework" : /^\s*at \S/.test(text) ? "own" : "message",
  }));
}

/** Consecutive frames of frameworks as one group each. */
export function folded(error: string): Frame[][] {
  const groups: Frame[][] = [];
  for (const frame of frames(error)) {
    const last = groups.at(-1);
    if (frame.kind === "framework" && last?.[0]?.kind === "framework") last.push(frame);
    else groups.push([frame]);
  }
  return groups;
}

/** Lines of `now` that the error before it did not have. */
export function fresh(now: string, before: string | undefined): Set<string> {
  if (before === undefined) return new Set();
  const old = new Set(before.split("\n").map(normal));
  return new Set(now.split("\n").filter(line => line.trim() !== "" && !old.has(normal(line))));
}

/** Times and numbers differ in every attempt: that is no difference. */
function normal(line: string): string {
  return line.trim().replace(/\d+/g, "0");
}
