import { signal } from "@preact/signals";
import { Intents } from "../pure/intents.ts";
import { base } from "../boot.ts";
import type { Problem } from "./types.ts";

/** An answer that says no. `status` 0: there was none. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }

  get isOutage(): boolean {
    return this.problem.status === 0 || this.problem.status >= 500;
  }
}

/** Set by the first 401: nothing is asked any more, what is on the screen stays. */
export const isSignedOut = signal(false);

export function apiUrl(path: string): URL {
  return new URL(`api/v1/${path}`, base);
}

export interface Answer<T> {
  /** Undefined: as it was (304). */
  value?: T;
  etag?: string;
}

const timeoutInMs = 15_000;

export async function get<T>(path: string, etag?: string, signal?: AbortSignal): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (etag) headers["if-none-match"] = etag;
  const response = await send(path, { headers, cache: "no-store" }, signal);
  if (response.status === 304) return { etag };
  return { value: await body<T>(response), etag: response.headers.get("etag") ?? undefined };
}

const intents = new Intents(Date.now, randomKey);

/** Changes something. The same click once more, while it has no answer, is the same change, and the server makes it once. */
export function post<T>(path: string, value: object = {}, version?: string): Promise<T> {
  const text = JSON.stringify(value);
  return intents.send(`${path}\n${version ?? ""}\n${text}`, async key => {
    const headers: Record<string, string> = { accept: "application/json", "content-type": "application/json", "idempotency-key": key };
    if (version) headers["if-match"] = `"${version}"`;
    return body<T>(await send(path, { method: "POST", headers, body: text }));
  }, error => error instanceof ApiError && (error.isOutage || error.problem.code === "idempotency_key_busy"));
}

// Not randomUUID, which browsers have only where the address is https or localhost.
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
}

async function send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  if (isSignedOut.value) throw new ApiError({ status: 401, code: "signed_out", title: "Signed out" });
  const timeout = AbortSignal.timeout(timeoutInMs);
  let response: Response;
  try {
    response = await fetch(apiUrl(path), { ...init, credentials: "same-origin", redirect: "manual", signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ status: 0, code: "unreachable", title: "The server does not answer", detail: timeout.aborted ? `No answer within ${timeoutInMs / 1000} s.` : undefined });
  }
  // A host that sends people to its login page answers with a redirect: for us that is signed out.
  if (response.status === 401 || response.type === "opaqueredirect") isSignedOut.value = true;
  if (response.ok || response.status === 304) return response;
  throw new ApiError(await problem(response));
}

async function body<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return (text === "" ? {} : JSON.parse(text)) as T;
  } catch {
    throw new ApiError({ status: 502, code: "not_json", title: "The answer was not JSON", detail: "Something between the browser and the application answered in its place." });
  }
}

async function problem(response: Response): Promise<Problem> {
  const status = response.type === "opaqueredirect" ? 401 : response.status;
  try {
    const given = JSON.parse(await response.text()) as Partial<Problem>;
    return { ...given, status, code: given.code ?? `http_${status}`, title: given.title ?? `HTTP ${status}` };
  } catch {
    return { status, code: `http_${status}`, title: `HTTP ${status}` };
  }
}
